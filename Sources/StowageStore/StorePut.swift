// SPDX-License-Identifier: Apache-2.0

internal import StowageCompression
internal import StowageConfig
internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// A diff for a new layer.
struct DiffRequest {
  let input: LayerInput
  let expecting: ExpectedDiff
  let progress: (@Sendable (UInt64) -> Void)?
  let isCancelled: (@Sendable () -> Bool)?
}

extension Store {
  /// Makes a layer, with content if a diff is given (store-semantics 7).
  func putLayer(_ request: LayerCreation, _ diff: DiffRequest?) throws(StorageError) -> PutLayer {
    guard let diff else { return PutLayer(layer: try putWithoutDiff(request), size: -1) }
    let new = try resolveNewLayer(request, hasDiff: true)
    var staged: StagedContent? = try stage(new, diff)
    let size = staged?.diff?.result?.contentSize ?? -1
    do throws(StorageError) {
      let layer = try commitLayer(new, &staged)
      staged.take()?.discard()
      return PutLayer(layer: layer, size: size)
    } catch {
      staged.take()?.discard()
      throw error
    }
  }

  /// Makes a layer that begins like its parent. If that takes a copy, it is made again when the parent has changed
  /// meanwhile.
  private func putWithoutDiff(_ request: LayerCreation) throws(StorageError) -> LayerInfo {
    var attempts = 0
    while true {
      attempts += 1
      let new = try resolveNewLayer(request, hasDiff: false)
      do throws(StorageError) {
        var staged = try stageCopy(for: new)
        return try commitLayer(new, &staged)
      } catch {
        guard error.code == .busy, attempts < Store.mostCopies else { throw error }
      }
    }
  }

  // MARK: Resolving

  /// Finds the parent, checks identifier and names for the first time, and decides where the layer will be. Locks are
  /// held shared and only here.
  func resolveNewLayer(_ request: LayerCreation, hasDiff: Bool) throws(StorageError) -> NewLayer {
    try withLayers { (layers) throws(StorageError) -> NewLayer in
      var new = try self.describe(request, hasDiff: hasDiff, layers)
      while (request.id ?? "").isEmpty, layers.primary(new.record.id) != nil { new.rename(.random()) }
      try LayersWriting.checkFree(new.record, layers)
      return new
    }
  }

  /// Turns a request into a layer to be made; `layers` must include the additional stores.
  func describe(
    _ request: LayerCreation, hasDiff: Bool, _ layers: borrowing LayersReading, checksParent: Bool = true
  ) throws(StorageError) -> NewLayer {
    let id = try newLayerID(request.id)
    var parent = try findParent(request.parent, layers, checksParent)
    if !request.isWritable, let found = parent, let twin = layers.layer(found.id, at: .imageStore) { parent = twin }
    let maps = layerMaps(request.idMaps, parent, layers.driver)
    var record = LayerRecord(id: id, parent: parent?.id, names: withoutRepeats(request.names))
    record.mountLabel = request.mountLabel
    record.metadata = request.metadata
    record.flags = request.flags
    record.idMaps = maps
    if hasDiff { record.vouch(request) }
    let document = topology.documentForNewLayer(
      isVolatile: request.isVolatile, isWritable: request.isWritable, over: parent?.location.role)
    let home = topology.layers.documents[document]
    if let pending = request.pending { record.flags[LayerTie.key] = pending.tie(at: home.role).flag }
    var new = NewLayer(
      record: record, document: document, location: LayerLocation(id: id, role: home.role, root: home.root),
      chain: [],
      options: LayerCreateOptions(
        mountLabel: request.mountLabel, idMaps: maps, isReadWrite: request.isWritable,
        storageOptions: request.storageOptions),
      bigData: request.bigData)
    if let parent { try new.begin(with: parent, layers) }
    return new
  }

  /// The wanted identifier, or a random one.
  ///
  /// - Throws: `invalidIdentifier`, also for names that have a meaning of their own beside layers on disk: such a
  /// layer would
  ///   replace the overlay driver's links, for instance.
  func newLayerID(_ text: String?) throws(StorageError) -> LayerID {
    guard let text, !text.isEmpty else { return .random() }
    let id = try LayerID(validating: text)
    let reserved = ["l", "staging", "tempdirs", "backingFsBlockDev", ".has-mount-program", "tmp"]
    if reserved.contains(text) {
      throw StorageError(
        .invalidIdentifier, "invalid layer ID \(goQuoted(text)): the name is reserved", subject: text)
    }
    return id
  }

  private func findParent(
    _ nameOrID: String?, _ layers: borrowing LayersReading, _ checks: Bool
  ) throws(StorageError) -> FoundLayer? {
    guard let nameOrID, !nameOrID.isEmpty else { return nil }
    guard let parent = layers.find(nameOrID) else { throw StorageError(.layerUnknown, subject: nameOrID) }
    // A container's layer is made with the container lock held; its parent is an image's layer.
    if !checks { return parent }
    let isContainers = try containerStore.withReading { (containers) throws(StorageError) -> Bool in
      containers.records.contains { $0.layer == parent.id }
    }
    if isContainers { throw StorageError(.parentIsContainer, subject: nameOrID) }
    return parent
  }

  /// The maps of a new layer (store-semantics 7.1); empty if the driver shifts owners when mounting.
  func layerMaps(_ request: IDMapRequest, _ parent: FoundLayer?, _ driver: any GraphDriver) -> IDMaps {
    let inherited = parent?.record.idMaps ?? IDMaps(uids: options.uidMap, gids: options.gidMap)
    var maps = IDMaps()
    if !request.usesHostUIDs { maps.uids = request.maps.uids.isEmpty ? inherited.uids : request.maps.uids }
    if !request.usesHostGIDs { maps.gids = request.maps.gids.isEmpty ? inherited.gids : request.maps.gids }
    if !maps.isEmpty, driver.ownerShifting?.supportsShifting(maps) == true { maps = IDMaps() }
    return maps
  }

  // MARK: Content

  /// Extracts a diff where no store lock is needed.
  func stage(_ new: NewLayer, _ diff: DiffRequest) throws(StorageError) -> StagedContent {
    let driver = try drivers.current()
    return try stage(diff, into: try beginTree(of: new, driver), from: new.source, driver)
  }

  /// Extracts a diff into a staged tree, and forces it to the disk as the driver's policy says.
  func stage(
    _ diff: DiffRequest, into tree: consuming StagedLayer, from source: LayerState?, _ driver: any GraphDriver
  ) throws(StorageError) -> StagedContent {
    let directory = try StagedDirectory.create(in: topology.layers.temporary)
    let tarSplit = directory.addition()
    do throws(StorageError) {
      let result = try extract(diff, to: tree.target, tarSplit: tarSplit, driver)
      if driver.syncPolicy == .fileSystem { try syncFileSystem(of: tree.tree) }
      return StagedContent(
        layer: consume tree, source: source,
        diff: StagedDiff(directory: consume directory, tarSplit: tarSplit, result: result))
    } catch {
      throw driver.applyErrorWording?.wrapApplyError(error) ?? error
    }
  }

  /// Extracts a diff and compares it with what was expected.
  func extract(
    _ diff: DiffRequest, to target: ApplyTarget, tarSplit: FilePath, _ driver: any GraphDriver
  ) throws(StorageError) -> ApplyResult {
    let cancellation = CancellationFlag()
    let (progress, isCancelled) = (diff.progress, diff.isCancelled)
    let request = ApplyRequest(
      tarSplit: tarSplit, sync: driver.syncPolicy, expectedDiffDigest: diff.expecting.diffDigest,
      expectedCompressedDigest: diff.expecting.compressedDigest,
      progress: { bytes in
        progress?(bytes)
        if isCancelled?() == true { cancellation.cancel() }
      },
      cancellation: cancellation)
    if isCancelled?() == true { throw StorageError(.cancelled) }
    let result = try applyLayer(
      from: try diff.input.source(), to: target.root, options: target.options, request: request)
    if isCancelled?() == true { throw StorageError(.cancelled) }
    if let size = diff.expecting.compressedSize, size != result.compressedSize {
      throw StorageError(.digestMismatch, "layer has \(result.compressedSize) bytes, expected \(size)")
    }
    return result
  }

  /// Forces everything of a file system to the device, see `syncfs(2)`.
  func syncFileSystem(of path: FilePath) throws(StorageError) {
    try attempt("syncfs", path) { () throws(Errno) in
      let descriptor = try Syscall.open(path, [.readOnly, .directory])
      try Syscall.syncfs(descriptor.rawValue)
    }
  }

  // MARK: Committing

  /// Makes the layer under the exclusive lock. Whatever happened while no lock was held is found out here.
  ///
  /// - Throws: `busy` if the parent is not what the content was staged over.
  func commitLayer(_ new: NewLayer, _ staged: inout StagedContent?) throws(StorageError) -> LayerInfo {
    try withLayersWriting(additional: true) { (layers: inout LayersWriting) throws(StorageError) -> LayerInfo in
      try new.recheckBasis(layers.reading)
      if staged != nil { try new.checkSource(staged?.source) }
      let record = try layers.create(new, staged: &staged)
      return layers.reading.info(FoundLayer(record: record, location: new.location))
    }
  }
}

extension NewLayer {
  /// Makes the layer begin with the content of another one. If that has other owners on disk they are to be changed.
  mutating func begin(with basis: FoundLayer, _ layers: borrowing LayersReading) throws(StorageError) {
    self.basis = basis
    chain = [basis.location] + (try layers.chain(of: basis))
    if basis.record.idMaps != record.idMaps {
      options.shift = try OwnerShift(from: basis.record.idMaps, to: record.idMaps)
    }
    if layers.driver.traits.copiesParent || options.isCopy || options.shift != nil {
      source = LayerState(of: basis, layers)
    }
  }

  /// Gives the layer another identifier.
  mutating func rename(_ id: LayerID) {
    record.id = id
    location = LayerLocation(id: id, role: location.role, root: location.root)
  }
}

extension LayerRecord {
  /// Enters what the caller vouches for; only SHA-256 counts (store-semantics 17.4).
  mutating func vouch(_ request: LayerCreation) {
    if let digest = request.originalDigest, digest.algorithm == "sha256" {
      compressedDiffDigest = digest
      compressedSize = request.originalSize ?? 0
    }
    if let digest = request.uncompressedDigest, digest.algorithm == "sha256" { diffDigest = digest }
    tocDigest = request.tocDigest
  }
}

extension LayerInput {
  /// Opens the input.
  func source() throws(StorageError) -> any ByteSource {
    switch origin {
    case .descriptor(let descriptor): return DescriptorSource(descriptor)
    case .bytes(let bytes): return BytesSource(bytes)
    case .source(let source): return source
    case .file(let path):
      let place = FilePath(path)
      let descriptor = try attempt("open", place) { () throws(Errno) in try Syscall.open(place, .readOnly) }
      return DescriptorSource(descriptor.release(), closes: true)
    }
  }
}
