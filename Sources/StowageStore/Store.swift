// SPDX-License-Identifier: Apache-2.0

public import StowageConfig
package import StowageDriverAPI
internal import StowageFiles
package import StowageModel
internal import StowageSystem
internal import Synchronization
internal import SystemPackage

/// Makes the driver of a store: its name (empty for an automatic choice), the order to try drivers in, and the places.
package typealias DriverFactory =
  @Sendable (_ name: String, _ priority: [String], _ context: DriverContext)
  throws(StorageError) -> any GraphDriver

/// A store of layers, images and containers on disk.
///
/// All operations block, are safe to call from any thread, and see what other processes have done: each takes the locks
/// it needs and reloads what changed. An operation has happened completely or, after a failure or a crash, not at all.
/// Source: store-semantics.
public final class Store: Sendable {
  /// The options the store was opened with, roots made absolute.
  public let options: StoreOptions
  /// Where everything is.
  package let topology: StoreTopology
  let drivers: DriverHolder
  let imageStores: [RecordStore<ImageRecord>]
  let containerStore: RecordStore<ContainerRecord>
  private let layerStores: Mutex<LayerStores?> = Mutex(nil)

  private struct LayerStores: Sendable {
    let primary: LayerStore
    let additional: [AdditionalLayerStore]
  }

  /// Opens a store, making its directories and lock files if they are missing (store-semantics 5.1).
  ///
  /// - Throws: `incompleteOptions` without roots; what the driver says; `corrupt` if record files cannot be read.
  package init(options: StoreOptions, drivers factory: @escaping DriverFactory) throws(StorageError) {
    var options = options
    if options.graphRoot.isEmpty || options.runRoot.isEmpty {
      throw StorageError(.incompleteOptions).wrapped("no storage runroot or graphroot specified")
    }
    options.graphRoot = absolute(options.graphRoot).string
    options.runRoot = absolute(options.runRoot).string
    let places = [options.runRoot, options.graphRoot] + (options.imageStore.isEmpty ? [] : [options.imageStore])
    for place in places { try makeDirectories(absolute(place), mode: 0o700) }
    let roots = StoreRoots(
      graphRoot: FilePath(options.graphRoot), runRoot: FilePath(options.runRoot),
      imageStore: options.imageStore.isEmpty ? nil : absolute(options.imageStore))
    _ = try LockFile.open(roots.userNamespaceLock)
    drivers = try DriverHolder(options, roots, factory)
    let driver = try drivers.current()
    topology = StoreTopology(
      roots: roots, driverName: driver.traits.name, isTransient: options.transientStore,
      additional: driver.additionalStoreReading?.additionalImageStores ?? [])
    for directory in topology.directories { try makeDirectories(directory, mode: 0o700) }
    imageStores = try Store.openImages(topology, options.lockTimeout)
    containerStore = try Store.openContainers(topology, options.lockTimeout)
    self.options = options
  }

  private static func openImages(
    _ topology: StoreTopology, _ timeout: Duration?
  ) throws(StorageError) -> [RecordStore<ImageRecord>] {
    var stores: [RecordStore<ImageRecord>] = []
    for (index, places) in topology.images.enumerated() {
      // A store that is not ours is read unlocked if it has no lock file: a copy that nobody changes. We make none.
      let isLocked = places.isWritable ? true : try LockFile.isPresent(places.lock)
      let store = try RecordStore<ImageRecord>(
        directory: places.directory, files: [RecordFile(places.records, isFlushed: true)],
        locks: isLocked ? [places.lock] : [], ranks: [index == 0 ? .images : .secondaryImages(index)],
        isWritable: places.isWritable, bin: places.bin, removesOrphans: true, timeout: timeout)
      try store.withReading { (_) throws(StorageError) in }
      stores.append(store)
    }
    return stores
  }

  private static func openContainers(
    _ topology: StoreTopology, _ timeout: Duration?
  ) throws(StorageError) -> RecordStore<ContainerRecord> {
    let places = topology.containers
    let files = places.documents.enumerated().map { RecordFile<ContainerRecord>($1, isFlushed: $0 == 0) }
    let store = try RecordStore<ContainerRecord>(
      directory: places.directory, files: files, locks: places.locks,
      ranks: places.locks.indices.map { .containers($0) }, isWritable: true,
      bin: topology.layers.temporary,
      // Containers of a transient store are recorded where this process does not look.
      removesOrphans: false, timeout: timeout)
    try store.withReading { (_) throws(StorageError) in }
    return store
  }

  // MARK: Parts

  /// What can be done with layers.
  public var layers: LayerOperations { LayerOperations(store: self) }
  /// What can be done with images.
  public var images: ImageOperations { ImageOperations(store: self) }
  /// What can be done with containers.
  public var containers: ContainerOperations { ContainerOperations(store: self) }
  /// The graph root, absolute.
  public var graphRoot: String { topology.roots.graphRoot.string }
  /// The run root, absolute.
  public var runRoot: String { topology.roots.runRoot.string }
  /// The image store, or empty if there is none apart from the graph root.
  public var imageStoreRoot: String { topology.roots.imageStore?.string ?? "" }
  /// The driver's name.
  public var driverName: String { topology.driverName }
  /// The driver's options as given.
  public var driverOptions: [String] { options.driverOptions }

  // MARK: Access

  /// Runs `body` with the layer locks held shared, those of additional stores included.
  func withLayers<R>(
    _ body: (borrowing LayersReading) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    let driver = try drivers.current()
    let stores = try openLayers()
    return try stores.primary.withReading(driver, stores.additional, body)
  }

  /// Runs `body` with the primary layer locks held exclusively and, if wanted, those of additional stores shared.
  func withLayersWriting<R>(
    additional: Bool = false, driver: (any GraphDriver)? = nil,
    _ body: (inout LayersWriting) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    let current: any GraphDriver
    if let driver { current = driver } else { current = try drivers.current() }
    let stores = try openLayers()
    return try stores.primary.withWriting(current, additional ? stores.additional : [], body)
  }

  /// The image store that new images go to.
  var primaryImages: RecordStore<ImageRecord> { imageStores[0] }

  /// Whether a layer left by a process that died must stay.
  private var layerNeed: LayerStore.Need {
    let (images, containers) = (imageStores, containerStore)
    return { (tie, layer) throws(StorageError) -> LayerStore.Needed in
      var needed = LayerStore.Needed.byNobody
      for store in images {
        try store.withReading { (access) throws(StorageError) in
          for image in access.records {
            if tie.kind == .image, image.id.rawValue.hasSameBytes(as: tie.id) { needed = .byOwner }
            if image.layer == layer || image.mappedLayers.contains(layer), needed == .byNobody { needed = .byOthers }
          }
        }
      }
      try containers.withReading { (access) throws(StorageError) in
        for container in access.records {
          if tie.kind == .container, container.id.rawValue.hasSameBytes(as: tie.id) { needed = .byOwner }
          if container.layer == layer, needed == .byNobody { needed = .byOthers }
        }
      }
      return needed
    }
  }

  private func openLayers() throws(StorageError) -> LayerStores {
    try layerStores.withLock { (stores) throws(StorageError) -> LayerStores in
      if let stores { return stores }
      var additional: [AdditionalLayerStore] = []
      for (index, places) in topology.additionalLayers.enumerated() {
        additional.append(AdditionalLayerStore(places, index: index, timeout: options.lockTimeout))
      }
      let primary = try LayerStore(
        topology, timeout: options.lockTimeout, pinsParents: options.pinsLayers, isNeeded: layerNeed)
      let opened = LayerStores(primary: primary, additional: additional)
      stores = opened
      return opened
    }
  }
}

/// A path made absolute lexically, as the reference does; symbolic links are not resolved.
func absolute(_ path: String) -> FilePath {
  let path = FilePath(path)
  if path.isAbsolute { return path.lexicallyNormalized() }
  let current = (try? Syscall.readlink("/proc/self/cwd")).map { FilePath($0) } ?? "/"
  return current.pushing(path).lexicallyNormalized()
}
