// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Looks at record files one by one; what it needs of others it reads when it is asked for first.
struct LossSearch {
  private let topology: StoreTopology
  private let mayHaveTree: (LayerLocation) -> Bool
  private lazy var layerRecords = readLayers()
  private lazy var recordedLayers = Set(layerRecords.map(\.id))
  private lazy var recordedImages = Set(readImages().map(\.id))

  /// - Parameter mayHaveTree: whether the driver has a tree of a layer.
  init(_ topology: StoreTopology, mayHaveTree: @escaping (LayerLocation) -> Bool) {
    self.topology = topology
    self.mayHaveTree = mayHaveTree
  }

  /// What one file lost; its kept copies included.
  ///
  /// What a file that was restored before still lacks was not proven, and is kept for that reason: it keeps nobody from deleting
  /// other things.
  mutating func losses(of file: StoreTopology.RecordFilePlace) throws(StorageError) -> [RecordLoss] {
    let loss = { (state: RecordLoss.State) in
      RecordLoss(kind: file.kind, path: file.path.string, root: file.root, state: state)
    }
    let kept = try directoryNames(file.directory).filter { $0.hasPrefix(file.keptPrefix) }.map { name in
      loss(.restored(kept: file.directory.appending(FilePath(name).components).string))
    }
    guard let state = try state(of: file) else { return kept }
    if case .incomplete = state, !kept.isEmpty { return kept }
    return [loss(state)] + kept
  }

  private mutating func state(of file: StoreTopology.RecordFilePlace) throws(StorageError) -> RecordLoss.State? {
    var size: Int64?
    do throws(StorageError) {
      let opened = try StoreFile.open(file.path)
      size = try attempt("stat", file.path) { () throws(Errno) in try Syscall.fstat(opened.rawValue).size }
    } catch {
      if error.errno != .noSuchFileOrDirectory { throw error }
    }
    guard let size else { return try file.isVolatile ? nil : evidence(against: file).map { .missing(evidence: $0) } }
    if size == 0 { return file.isVolatile ? nil : .damaged(reason: "is empty, and nobody writes such a file") }
    if let reason = try damage(of: file) { return .damaged(reason: reason) }
    return file.isVolatile ? nil : namedElsewhere(file).map { .incomplete(evidence: $0) }
  }

  /// Why a file cannot be read; nil if it can.
  private func damage(of file: StoreTopology.RecordFilePlace) throws(StorageError) -> String? {
    let bytes = try StoreFile.read(file.path)
    if bytes.allSatisfy({ $0 == 0 }) { return file.isVolatile ? nil : "is full of NULs" }
    do throws(RecordParseError) {
      switch file.kind {
      case .layers: return try RecordDocument<LayerRecord>.parse(bytes).fault
      case .images: return try RecordDocument<ImageRecord>.parse(bytes).fault
      case .containers: return try RecordDocument<ContainerRecord>.parse(bytes).fault
      }
    } catch {
      return "cannot be read (\(error))"
    }
  }

  // MARK: Evidence

  /// What shows that a file which is not there recorded something.
  private mutating func evidence(against file: StoreTopology.RecordFilePlace) throws(StorageError) -> String? {
    let names = try directoryNames(file.directory)
    switch file.kind {
    case .layers:
      // Of a graph root with an image store, files of layers there are copies, and may be left of what others deleted.
      let isGraphRoot = file.root == topology.roots.graphRoot
      let isShared = isGraphRoot && (topology.roots.imageStore != nil || topology.missesImageStore)
      for name in names {
        let (text, isTarSplit) = LayerDirectory.owner(of: name)
        guard let id = LayerID(recorded: text), isTarSplit || looksLikeIdentifier(text),
          !recordedLayers.contains(id), !isShared || hasTree(id, in: file.root)
        else { continue }
        return "\(file.directory.appending(FilePath(name).components)) is there"
      }
    case .images:
      for name in names {
        guard let id = ImageID(recorded: name), looksLikeIdentifier(name), !recordedImages.contains(id),
          hasItems(file.directory.appending(name))
        else { continue }
        return "\(file.directory.appending(name)) is there"
      }
    case .containers:
      let known = Set(readContainers().map(\.id))
      for name in names {
        guard let id = ContainerID(recorded: name), looksLikeIdentifier(name), !known.contains(id) else { continue }
        return "\(file.directory.appending(name)) is there"
      }
      return try ownerlessLayer()
    }
    return namedElsewhere(file)
  }

  /// A layer like a container's that nothing names, if containers were recorded once: then their lock file has a mark. A
  /// container without data has nothing else on disk.
  private func ownerlessLayer() throws(StorageError) -> String? {
    guard let lock = topology.containers.locks.first else { return nil }
    let isMarked = try attempt("stat", lock) { () throws(Errno) -> Bool in
      do throws(Errno) { return try Syscall.stat(lock).size > 0 } catch .noSuchFileOrDirectory { return false }
    }
    guard isMarked else { return nil }
    let layers: [LayerRecord] = topology.layers.documents.flatMap { records($0.path) }
    var named = Set(layers.compactMap(\.parent) + readContainers().map(\.layer))
    for image in readImages() { named.formUnion(image.topLayers) }
    let found = layers.first { layer in
      layer.diffDigest == nil && layer.tocDigest == nil && layer.flags.isEmpty && !named.contains(layer.id)
        && looksLikeIdentifier(layer.id.rawValue)
    }
    return found.map { "containers were recorded once, and nothing else has layer \($0.id)" }
  }

  /// What a record of another kind names, is on disk, and is recorded nowhere.
  private mutating func namedElsewhere(_ file: StoreTopology.RecordFilePlace) -> String? {
    switch file.kind {
    case .layers:
      var named = readContainers().map { (by: "container \($0.id)", layer: $0.layer) }
      for layer in layerRecords {
        if let parent = layer.parent { named.append((by: "layer \(layer.id)", layer: parent)) }
      }
      for image in readImages() { named += image.topLayers.map { (by: "image \(image.id)", layer: $0) } }
      let lost = named.first { !recordedLayers.contains($0.layer) && hasTree($0.layer, in: file.root) }
      return lost.map { "\($0.by) has layer \($0.layer), which is there" }
    case .images:
      for container in readContainers() {
        guard let image = container.image, !recordedImages.contains(image),
          hasItems(file.directory.appending(image.rawValue))
        else { continue }
        return "container \(container.id) was made from image \(image), whose data are there"
      }
      return nil
    case .containers: return containerWithoutRecord(file)
    }
  }

  /// A container's directory whose runtime configuration has the tree of a layer that is recorded and nobody else's. While a
  /// container is deleted its layer is tied.
  private mutating func containerWithoutRecord(_ file: StoreTopology.RecordFilePlace) -> String? {
    let containers = readContainers()
    var used = Set(containers.map(\.layer))
    for image in readImages() { used.formUnion(image.topLayers) }
    used.formUnion(layerRecords.compactMap(\.parent))
    let known = Set(containers.map(\.id.rawValue))
    let layers = Dictionary(layerRecords.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    // A directory that cannot be read shows nothing.
    for name in (try? directoryNames(file.directory)) ?? [] where looksLikeIdentifier(name) && !known.contains(name) {
      guard let config = RuntimeConfig(ofContainer: name, in: file.directory), !config.mapsIdentifiers,
        let layer = config.layer(among: layers), layer.tie == nil, !used.contains(layer.id)
      else { continue }
      return "\(file.directory.appending(name)) has the configuration of a container of layer \(layer.id)"
    }
    return nil
  }

  private func hasTree(_ id: LayerID, in root: FilePath) -> Bool {
    let role = topology.layerHomes.first { $0.root == root }?.role ?? .graphRoot
    return mayHaveTree(LayerLocation(id: id, role: role, root: root))
  }

  /// Whether there is more than what callers put there, which says nothing about who recorded the image where.
  private func hasItems(_ directory: FilePath) -> Bool {
    do throws(Errno) {
      return try Syscall.directoryNames(directory).contains { !$0.elementsEqual("userdata".utf8) }
    } catch {
      // One that cannot be read is there.
      return error != .noSuchFileOrDirectory && error != .notDirectory
    }
  }

  // MARK: Records

  private func readLayers() -> [LayerRecord] {
    let own = Set(topology.layers.documents.map(\.path) + topology.volatileLayers)
    let others = topology.additionalLayers.flatMap(\.documents).map(\.path)
    return (own + others).flatMap { records($0) }
  }

  /// The images that are recorded; with `written`, only where that may be written.
  func readImages(written: Bool = false) -> [ImageRecord] {
    topology.images.filter { $0.isWritable || !written }.flatMap { records($0.place.records) }
  }

  func readContainers() -> [ContainerRecord] {
    Set(topology.containers.documents + topology.volatileContainers).flatMap { records($0) }
  }

  /// The records of a file, as many as can be read: that some cannot is a loss of its own.
  private func records<Record: StoreRecord>(_ path: FilePath) -> [Record] {
    (try? RecordDocument<Record>.readable(at: path))?.records ?? []
  }
}

extension RecordDocument where Record: NamedRecord {
  /// What is wrong with a file that can be read: a record that cannot be used, or two of one name.
  fileprivate var fault: String? {
    if let problem = entries.lazy.compactMap(\.problem).first { return "has a record that cannot be used (\(problem))" }
    var seen: Set<Record.ID> = []
    let twice = records.first { !seen.insert($0.id).inserted }
    return twice.map { "records \($0.id) twice" }
  }
}
