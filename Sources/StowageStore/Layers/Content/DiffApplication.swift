// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Extracts a diff into a layer that exists, and records its digests and sizes (store-semantics 17.3).
///
/// A layer without content that nobody uses gets it at once, extracted before without a lock: after a failure or a crash
/// it is empty as before. What has content, is mounted, or is a full copy of its parent is extracted into where it is, with
/// the layers locked, as others may be writing there; then a failure leaves what was extracted.
struct DiffApplication {
  private let store: Store
  private let nameOrID: String
  private let diff: DiffRequest
  private let addition: Addition?

  /// What a layer that must have no content yet gets besides it.
  struct Addition {
    let tocDigest: Digest
    let items: [BigDataItem]
    /// Why a layer that has content does not get it.
    let refusal: StorageError
  }

  init(store: Store, _ diff: DiffRequest, to nameOrID: String, with addition: Addition?) {
    self.store = store
    self.nameOrID = nameOrID
    self.diff = diff
    self.addition = addition
  }

  /// Applies it.
  ///
  /// - Returns: bytes of content extracted.
  /// - Throws: `layerUnknown`; `busy` if the layer got content or was mounted meanwhile; those of the extraction.
  func run() throws(StorageError) -> Int64 {
    let empty = try store.read([.layers]) { (access) throws(StorageError) -> EmptyLayer? in
      let layers = access.layers
      guard let layer = layers.findPrimary(nameOrID) else { throw StorageError(.layerUnknown, subject: nameOrID) }
      return try EmptyLayer(layer, layers)
    }
    guard let empty else {
      if let addition { throw addition.refusal }
      return try applyInPlace()
    }
    var staged: StagedContent? = try stage(for: empty)
    let size = staged?.diff?.result?.contentSize ?? 0
    try store.write([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      let id = empty.layer.id
      guard let now = layers.reading.layer(id, at: empty.layer.location.role),
        try EmptyLayer(now, layers.reading) == empty
      else {
        throw StorageError(
          .busy, "layer \(id) was changed or mounted while the diff was extracted: start again", subject: id.rawValue)
      }
      try layers.fill(empty, with: &staged)
      guard let addition else { return }
      // A layer that has its content but not all of these is an ordinary one.
      for item in addition.items { try layers.setBigData(item.key, item.bytes, of: now) }
      layers.change { table in
        table.update(id) { record in
          // Of a layer that is known by its table of contents no blob is recorded (chunked-and-composefs 2.8).
          (record.compressedDiffDigest, record.compressedSize, record.compression) = (nil, 0, .none)
          record.tocDigest = addition.tocDigest
        }
      }
      try layers.save()
    }
    return size
  }

  /// Extracts a diff into a tree with the owner, mode and attributes of the empty one.
  private func stage(for empty: EmptyLayer) throws(StorageError) -> StagedContent {
    let driver = try store.drivers.current()
    let location = empty.layer.location
    let maps = try store.read([.layers]) { (access) throws(StorageError) in
      try access.layers.storedMaps(of: empty.layer, store)
    }
    let options = LayerCreateOptions(mountLabel: empty.layer.record.mountLabel, idMaps: maps)
    let tree = try driver.stage(over: [], targetRoot: location.root, options)
    try copyTree(from: empty.content, to: tree.tree, options: CopyOptions(inUserNamespace: isInUserNamespace))
    return try ContentStaging(store, driver).stage(diff, into: tree, from: nil)
  }

  private func applyInPlace() throws(StorageError) -> Int64 {
    try store.write([.layers]) { (access) throws(StorageError) -> Int64 in
      let layers = access.layers
      guard let layer = layers.reading.findPrimary(nameOrID) else {
        throw StorageError(.layerUnknown, subject: nameOrID)
      }
      layers.change { table in table.update(layer.id) { $0.forgetDiff() } }
      let chain = try layers.reading.chain(of: layer)
      let result = try extract(into: layer, chain, layers)
      layers.change { table in table.update(layer.id) { $0.take(result) } }
      try layers.save()
      return result.contentSize
    }
  }

  private func extract(
    into layer: FoundLayer, _ chain: [LayerLocation], _ layers: borrowing LayersWriting
  ) throws(StorageError) -> ApplyResult {
    let driver = layers.driver
    let target = try driver.applyTarget(
      for: layer.location, over: chain, idMaps: try layers.reading.storedMaps(of: layer, store))
    if let refusal = store.topology.roots.refusal { throw refusal }
    let directory = try StagedDirectory.create(in: store.topology.layers.data.temporary)
    let tarSplit = directory.addition()
    let result: ApplyResult
    do throws(StorageError) {
      result = try ContentStaging(store, driver).extract(diff, to: target, tarSplit: tarSplit)
    } catch {
      throw driver.applyErrorWording?.wrapApplyError(error) ?? error
    }
    try driver.parentAdopting?.adopt(result.impliedDirectories, in: target.root, over: chain, older: nil)
    if driver.syncPolicy == .fileSystem { try syncFileSystem(of: target.root) }
    try layers.placeTarSplits([(tarSplit, layer.location)])
    try directory.finish()
    return result
  }
}

/// A layer that has no content yet, none recorded either, and that no mount uses.
struct EmptyLayer: Equatable {
  let layer: FoundLayer
  /// The empty directory of its content.
  let content: FilePath
  private let identity: FileSignature.Identity?
  private let changed: FileTime

  /// Looks at a layer; `nil` if it is not such a one.
  ///
  /// Layers that are full copies never are: their trees are at hand without a mount, so nobody can tell who writes there.
  init?(_ layer: FoundLayer, _ layers: borrowing LayersReading) throws(StorageError) {
    guard !layers.driver.traits.copiesParent, layer.record.diffDigest == nil, !layer.record.isIncomplete,
      !layer.record.isTied, layers.tarSplitFile(of: layer) == nil, layers.mountedUsers(of: layer).isEmpty,
      let content = try layers.driver.contentRoots(of: layer.location, over: []).first,
      let status = try HostFiles.status(content, followingLinks: false), status.kind == .directory,
      try HostFiles.entries(content)?.isEmpty == true
    else { return nil }
    self.layer = layer
    self.content = content
    identity = .of(content)
    changed = status.changeTime
  }

  static func == (one: EmptyLayer, other: EmptyLayer) -> Bool {
    one.layer.location == other.layer.location && one.identity == other.identity && one.changed == other.changed
      && one.layer.record.created == other.layer.record.created
  }
}

extension LayersWriting {
  /// Gives an empty layer its content.
  ///
  /// The record with the new digests and a tie that names the new tree is on disk before the trees are exchanged: the next
  /// opener sees by the tree that is there which state is the true one; see ``settleContent(of:_:)``.
  func fill(_ empty: EmptyLayer, with staged: inout StagedContent?) throws(StorageError) {
    guard let tree = staged?.layer?.tree, let tarSplit = staged?.diff?.tarSplit, let result = staged?.diff?.result
    else {
      throw StorageError(
        .system, "layer \(empty.layer.id): there is no staged content", subject: empty.layer.id.rawValue)
    }
    try adoptParents(&staged, over: try reading.chain(of: empty.layer))
    let inode = try attempt("lstat", tree) { () throws(Errno) in try Syscall.lstat(tree) }.inode
    // Its name reaches the device with that of the tar-split file.
    try update(empty.layer, .content) { record in
      record.forgetDiff()
      record.take(result)
      record.tie = LayerTie(.content, String(inode))
    }
    try placeTarSplits([(tarSplit, empty.layer.location)])
    // Fails if something is in the directory that is replaced.
    try attempt("rename", tree) { () throws(Errno) in try Syscall.rename(tree, empty.content) }
    try AtomicFile.syncDirectory(empty.content.removingLastComponent())
    try untie(empty.layer.id)
    if let layer = staged?.layer.take() { layer.finish() }
  }

  /// Ends what a ``fill(_:with:)`` that died has begun: the layer has its new content, or none and no digests either.
  func settleContent(of layer: FoundLayer, _ tie: LayerTie) throws(StorageError) {
    var isThere = false
    if let content = try driver.contentRoots(of: layer.location, over: []).first {
      isThere = try HostFiles.status(content, followingLinks: false).map { String($0.inode) } == tie.id
    }
    if !isThere {
      for data in store.topology.layers.dataDirectories(of: layer.location) {
        let file = data.tarSplit(of: layer.id)
        do throws(Errno) { try Syscall.unlink(file) } catch {
          if error != .noSuchFileOrDirectory { throw .failed("unlink", file, error) }
        }
      }
    }
    change { table in
      guard let position = table.position(of: layer, store.topology) else { return }
      table.update(at: position) { record in
        if !isThere { record.forgetDiff() }
        record.tie = nil
      }
    }
  }

  /// Moves tar-split files, which are on disk, to where they belong. Their names reach the device, and with them that of a
  /// record file beside them.
  func placeTarSplits(_ files: [(file: FilePath, layer: LayerLocation)]) throws(StorageError) {
    let places = store.topology.layers
    var directories: Set<FilePath> = []
    for (file, layer) in files {
      let target = places.data.tarSplit(of: layer.id)
      try attempt("rename", file) { () throws(Errno) in try Syscall.rename(file, target) }
      try LayerFiles.share(target, of: layer, places)
      directories.formUnion(places.dataDirectories(of: layer).map(\.path) + [places.data.path])
    }
    try AtomicFile.syncDirectories(directories.sorted { $0.string < $1.string })
  }

  private func update(
    _ layer: FoundLayer, _ durability: Durability = .full, _ change: (inout LayerRecord) -> Void
  ) throws(StorageError) {
    self.change { table in
      if let position = table.position(of: layer, store.topology) { table.update(at: position, change) }
    }
    try save(durability)
  }
}

extension LayerRecord {
  /// Forgets digests and sizes before another diff is applied.
  fileprivate mutating func forgetDiff() {
    compressedDiffDigest = nil
    compressedSize = 0
    compression = .none
    diffDigest = nil
    diffSize = 0
    (uidSet, gidSet) = ([], [])
  }
}
