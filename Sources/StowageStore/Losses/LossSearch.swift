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
  private var layers = FoundFiles<LayerRecord>()
  private var images = FoundFiles<ImageRecord>()
  private var containers = FoundFiles<ContainerRecord>()
  private var foreign: ForeignUses?
  private let ownLayerFiles: [FilePath]
  private let containerFiles: [FilePath]

  /// Looks at what is on disk.
  ///
  /// - Parameter mayHaveTree: whether the driver has a tree of a layer.
  init(_ topology: StoreTopology, mayHaveTree: @escaping (LayerLocation) -> Bool) {
    self.topology = topology
    self.mayHaveTree = mayHaveTree
    ownLayerFiles = Array(Set(topology.layers.documents.map(\.path) + topology.volatileLayers))
    containerFiles = Array(Set(topology.containers.documents + topology.volatileContainers))
  }

  /// Looks at what is on disk, and at trees as a driver has them.
  init(_ topology: StoreTopology, _ driver: any GraphDriver) { self.init(topology) { driver.mayHave($0) } }

  /// Looks at what was loaded under the locks, which must be held as long as this is used; what they do not cover is read.
  ///
  /// - Parameter access: must cover images and containers.
  init(
    _ topology: StoreTopology, _ layers: borrowing LayersReading, _ access: borrowing StoreReading,
    mayHaveTree: @escaping (LayerLocation) -> Bool
  ) {
    self.init(topology, mayHaveTree: mayHaveTree)
    self.layers = FoundFiles(held: layers.ask { $0.files } + layers.additional.flatMap(\.files))
    images = FoundFiles(held: access.images.tables.flatMap(\.files))
    containers = FoundFiles(held: access.containers.ask { $0.files })
  }

  /// What one file lost; its kept copies included.
  mutating func losses(of file: StoreTopology.RecordFilePlace) throws(StorageError) -> [RecordLoss] {
    let kept = try keptCopies(of: file).map { name in
      RecordLoss(file, .restored(kept: file.directory.appending(FilePath(name).components).string))
    }
    return (try pending(of: file).map { [$0] } ?? []) + kept
  }

  /// What one file lost and is to be restored.
  ///
  /// What a file that was restored before still lacks was not proven, and is kept for that reason: it keeps nobody from deleting
  /// other things.
  mutating func pending(of file: StoreTopology.RecordFilePlace) throws(StorageError) -> RecordLoss? {
    guard let state = try state(of: file) else { return nil }
    if case .incomplete = state, try !keptCopies(of: file).isEmpty { return nil }
    return RecordLoss(file, state)
  }

  private func keptCopies(of file: StoreTopology.RecordFilePlace) throws(StorageError) -> [String] {
    let prefix = file.keptPrefix
    return try directoryNames(file.directory).filter { $0.hasPrefix(prefix) }
  }

  private mutating func state(of file: StoreTopology.RecordFilePlace) throws(StorageError) -> RecordLoss.State? {
    switch try form(of: file) {
    case .damaged(let reason): return .damaged(reason: reason)
    // A power cut takes the content of what is not flushed, as is meant.
    case _ where file.isVolatile: return nil
    case .absent: return try evidence(against: file).map { .missing(evidence: $0) }
    case .empty: return .damaged(reason: "is empty, and nobody writes such a file")
    case .blank: return .damaged(reason: "is full of NULs")
    case .whole: return namedElsewhere(file).map { .incomplete(evidence: $0) }
    }
  }

  private mutating func form(of file: StoreTopology.RecordFilePlace) throws(StorageError) -> RecordFileForm {
    switch file.kind {
    case .layers: try layers.read(file.path).form
    case .images: try images.read(file.path).form
    case .containers: try containers.read(file.path).form
    }
  }

  // MARK: Evidence

  /// What shows that a file which is not there recorded something.
  private mutating func evidence(against file: StoreTopology.RecordFilePlace) throws(StorageError) -> String? {
    // In a transient store the file of stable containers is never written, and directories are left by a reboot.
    if file.kind == .containers, topology.isTransient, try !haveStableContainersBeenRecorded() { return nil }
    let names = try directoryNames(file.directory)
    switch file.kind {
    case .layers:
      // Of a graph root with an image store, files of layers there are copies, and may be left of what others deleted.
      let isGraphRoot = file.root == topology.roots.graphRoot
      // Of an additional store it cannot be known whether it has one.
      let isShared =
        file.isElsewhere || isGraphRoot && (topology.roots.imageStore != nil || topology.missesImageStore)
      for name in names {
        let (text, isTarSplit) = LayerDirectory.owner(of: name)
        guard let id = LayerID(recorded: text), isTarSplit || looksLikeIdentifier(text),
          !isRecorded(id), !isShared || hasTree(id, in: file.root)
        else { continue }
        return "\(file.directory.appending(FilePath(name).components)) is there"
      }
    case .images:
      for name in names {
        guard let id = ImageID(recorded: name), looksLikeIdentifier(name), !isRecorded(id),
          hasItems(file.directory.appending(name))
        else { continue }
        return "\(file.directory.appending(name)) is there"
      }
    case .containers:
      let known = recordedContainers()
      for name in names {
        guard let id = ContainerID(recorded: name), looksLikeIdentifier(name),
          !known.contains(where: { $0.ids.contains(id) })
        else { continue }
        return "\(file.directory.appending(name)) is there"
      }
      return try ownerlessLayer()
    }
    return namedElsewhere(file)
  }

  /// Whether containers were recorded in the graph root once: then their lock file has a mark.
  private func haveStableContainersBeenRecorded() throws(StorageError) -> Bool {
    let lock = topology.containers.place.lock
    return try attempt("stat", lock) { () throws(Errno) -> Bool in
      do throws(Errno) { return try Syscall.stat(lock).size > 0 } catch .noSuchFileOrDirectory { return false }
    }
  }

  /// A layer like a container's that nothing names, if containers were recorded once. A container without data has nothing else
  /// on disk. Volatile layers are those of volatile containers.
  private mutating func ownerlessLayer() throws(StorageError) -> String? {
    guard try haveStableContainersBeenRecorded() else { return nil }
    let files = topology.layers.documents.filter { !$0.isVolatile }
    let layers = self.layers.readable(files.map(\.path)).flatMap(\.records)
    var named = Set(layers.compactMap(\.parent))
    for found in recordedContainers() { named.formUnion(found.records.map(\.layer)) }
    for found in recordedImages() { for image in found.records { named.formUnion(image.topLayers) } }
    let found = layers.first { layer in
      layer.diffDigest == nil && layer.tocDigest == nil && layer.flags.isEmpty && !named.contains(layer.id)
        && looksLikeIdentifier(layer.id.rawValue)
    }
    return found.map { "containers were recorded once, and nothing else has layer \($0.id)" }
  }

  /// What a record of another kind names, is on disk, and is recorded nowhere.
  private mutating func namedElsewhere(_ file: StoreTopology.RecordFilePlace) -> String? {
    switch file.kind {
    case .layers: return layerNamedElsewhere(file)
    case .images:
      for container in recordedContainers().flatMap(\.records) {
        guard let image = container.image, !isRecorded(image), hasItems(file.directory.appending(image.rawValue))
        else { continue }
        return "container \(container.id) was made from image \(image), whose data are there"
      }
      for (image, uses) in foreignUses().byImage.sorted(by: { $0.key < $1.key }) {
        guard let use = uses.first, !isRecorded(image), hasItems(file.directory.appending(image.rawValue)) else {
          continue
        }
        return "\(use.user) was made from image \(image), whose data are there"
      }
      return nil
    case .containers: return containerWithoutRecord(file)
    }
  }

  private mutating func layerNamedElsewhere(_ file: StoreTopology.RecordFilePlace) -> String? {
    let own = ownLayers()
    for found in recordedContainers() {
      for container in found.records where isLost(container.layer, file, own) {
        return "container \(container.id) has layer \(container.layer), which is there"
      }
    }
    for found in own {
      for layer in found.records {
        guard let parent = layer.parent, isLost(parent, file, own) else { continue }
        return "layer \(layer.id) has layer \(parent), which is there"
      }
    }
    for found in recordedImages() {
      for image in found.records {
        guard let lost = image.topLayers.first(where: { isLost($0, file, own) }) else { continue }
        return "image \(image.id) has layer \(lost), which is there"
      }
    }
    for (layer, uses) in foreignUses().byParent.sorted(by: { $0.key < $1.key }) {
      guard let use = uses.first, isLost(layer, file, own) else { continue }
      return "\(use.user) is built on layer \(layer), which is there"
    }
    return nil
  }

  /// What other graph roots need, read once.
  private mutating func foreignUses() -> ForeignUses {
    if let foreign { return foreign }
    // Whoever deletes reads the registrations, too, and fails if one is damaged.
    let found = (try? ForeignUses(topology)) ?? ForeignUses()
    foreign = found
    return found
  }

  private mutating func isLost(
    _ layer: LayerID, _ file: StoreTopology.RecordFilePlace, _ own: [FoundRecords<LayerRecord>]
  ) -> Bool {
    !own.contains { $0.ids.contains(layer) } && hasTree(layer, in: file.root) && !isRecorded(layer)
  }

  /// A container's directory whose runtime configuration has the tree of a layer that is recorded and nobody else's. While a
  /// container is deleted its layer is tied.
  private mutating func containerWithoutRecord(_ file: StoreTopology.RecordFilePlace) -> String? {
    let containers = recordedContainers().flatMap(\.records)
    var used = Set(containers.map(\.layer))
    for found in recordedImages() { for image in found.records { used.formUnion(image.topLayers) } }
    let known = Set(containers.map(\.id.rawValue))
    // A directory that cannot be read shows nothing.
    let names = ((try? directoryNames(file.directory)) ?? []).filter { looksLikeIdentifier($0) && !known.contains($0) }
    if names.isEmpty { return nil }
    let layerRecords = ownLayers().flatMap(\.records)
    used.formUnion(layerRecords.compactMap(\.parent))
    let layers = Dictionary(layerRecords.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    for name in names {
      guard let config = RuntimeConfig(ofContainer: name, in: file.directory), !config.mapsIdentifiers,
        let layer = config.layer(among: layers), layer.tie == nil, !used.contains(layer.id)
      else { continue }
      return "\(file.directory.appending(name)) has the configuration of a container of layer \(layer.id)"
    }
    return nil
  }

  private func hasTree(_ id: LayerID, in root: FilePath) -> Bool {
    let role = topology.allHomes.first { $0.root == root }?.role ?? .graphRoot
    return mayHaveTree(LayerLocation(id: id, role: role, root: root))
  }

  // MARK: Records

  /// What the files of this store's own layers say, transient ones included.
  private mutating func ownLayers() -> [FoundRecords<LayerRecord>] { layers.readable(ownLayerFiles) }

  private mutating func recordedImages() -> [FoundRecords<ImageRecord>] {
    images.readable(topology.images.map(\.place.records))
  }

  /// What the files of images say where they may be written: the graph root's and its image store's.
  mutating func writtenImages() -> [FoundRecords<ImageRecord>] {
    images.readable(topology.images.filter(\.isWritable).map(\.place.records))
  }

  /// What the files of containers of both modes say, transient and not.
  mutating func recordedContainers() -> [FoundRecords<ContainerRecord>] { containers.readable(containerFiles) }

  /// Whether a layer is recorded in this store's own files, transient ones included.
  mutating func isOwn(_ layer: LayerID) -> Bool { ownLayers().contains { $0.ids.contains(layer) } }

  private mutating func isRecorded(_ layer: LayerID) -> Bool {
    if isOwn(layer) { return true }
    return layers.readable(topology.additionalLayers.flatMap(\.documents).map(\.path)).contains {
      $0.ids.contains(layer)
    }
  }

  private mutating func isRecorded(_ image: ImageID) -> Bool { recordedImages().contains { $0.ids.contains(image) } }
}

extension RecordLoss {
  fileprivate init(_ file: StoreTopology.RecordFilePlace, _ state: State) {
    self.init(
      kind: file.kind, path: file.path.string, root: file.root, state: state, isElsewhere: file.isElsewhere)
  }
}
