// SPDX-License-Identifier: Apache-2.0

public import StowageConfig
package import StowageDriverAPI
internal import StowageFiles
package import StowageModel
internal import StowageRecords
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
  /// Space for deletions on full file systems.
  let reserve: SpaceReserve
  /// Image stores in search order: the primary one, the graph root's if that is another one, additional ones.
  let imageStores: RecordStores<ImageRecord>
  let containerStore: RecordStores<ContainerRecord>
  private let layerStore: Mutex<LayerStore?> = Mutex(nil)

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
    for place in places { try makeDirectories(absolute(place), mode: 0o700, isDurable: true) }
    let roots = StoreRoots(
      graphRoot: FilePath(options.graphRoot), runRoot: FilePath(options.runRoot),
      imageStore: options.imageStore.isEmpty ? nil : absolute(options.imageStore))
    if !roots.isReadOnly { _ = try LockFile.open(roots.userNamespaceLock) }
    let own = roots.writable + [roots.runRoot]
    let chosen = options
    // A full file system must not keep anybody from opening the store: only so can something be deleted.
    drivers = try SpaceReserve(in: own, for: []).usedIfNeeded { () throws(StorageError) in
      try DriverHolder(chosen, roots, factory)
    }
    let driver = try drivers.current()
    let topology = StoreTopology(
      roots: roots, driverName: driver.traits.name, isTransient: options.transientStore,
      additional: driver.additionalStoreReading?.additionalImageStores ?? [])
    self.topology = topology
    reserve = SpaceReserve(
      in: roots.writable + topology.bins + driver.traits.temporaryRoots + [roots.runRoot], for: topology.records)
    (imageStores, containerStore) = try reserve.usedIfNeeded { () throws(StorageError) in
      for directory in topology.directories { try makeDirectories(directory, mode: 0o700, isDurable: true) }
      return (
        try RecordStores(images: topology, chosen.lockTimeout),
        try RecordStores(containers: topology, chosen.lockTimeout)
      )
    }
    self.options = options
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
  /// Whether nothing can be changed here: the graph root or the image store is on a file system that is read-only, or is closed
  /// to this process.
  public var isReadOnly: Bool { topology.roots.isReadOnly }
  /// The driver's name.
  public var driverName: String { topology.driverName }
  /// The driver's options as given.
  public var driverOptions: [String] { options.driverOptions }

  // MARK: Layers, opened when they are needed first

  func openLayers() throws(StorageError) -> LayerStore {
    try layerStore.withLock { (store) throws(StorageError) -> LayerStore in
      if let store { return store }
      let opened = try LayerStore(topology, timeout: options.lockTimeout, pinsParents: options.pinsLayers)
      store = opened
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
