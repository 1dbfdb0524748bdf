// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
internal import StowageModel
internal import StowageSystem
package import SystemPackage

/// The roots of a store before a driver is chosen: absolute, equal places collapsed.
package struct StoreRoots: Hashable, Sendable {
  /// The graph root.
  package let graphRoot: FilePath
  /// The run root.
  package let runRoot: FilePath
  /// The split image store; `nil` if there is none or if it is the graph root.
  package let imageStore: FilePath?

  /// Takes roots that exist. An image store with the device and inode of the graph root is none (store-semantics 25.3).
  package init(graphRoot: FilePath, runRoot: FilePath, imageStore: FilePath?) {
    self.graphRoot = graphRoot
    self.runRoot = runRoot
    self.imageStore = imageStore.flatMap { isSamePlace($0, graphRoot) ? nil : $0 }
  }

  /// The lock of the driver and of shutting down.
  package var storageLock: FilePath { graphRoot.appending("storage.lock") }
  /// The lock of automatic user namespaces.
  package var userNamespaceLock: FilePath { graphRoot.appending("userns.lock") }
}

/// Where everything of a store lives, decided once at open.
///
/// Immutable. Nobody else joins root paths. Whatever can be in several stores is an ordered list; callers loop over it.
package struct StoreTopology: Hashable, Sendable {
  /// A file of layer records, in load order; on a duplicate identifier the first one wins.
  package struct LayerDocument: Hashable, Sendable {
    /// The file.
    package let path: FilePath
    /// What the store that owns the layers' trees is.
    package let role: LayerLocation.Role
    /// The root of that store.
    package let root: FilePath
    /// Whether a loss of the file in a power failure is tolerated; such files are not flushed.
    package let isVolatile: Bool
  }

  /// The primary layer store: one table over several files under one or two locks.
  package struct LayerPlaces: Hashable, Sendable {
    /// Record files in load order: stable, image store, volatile.
    package let documents: [LayerDocument]
    /// Lock files in locking order.
    package let locks: [FilePath]
    /// Directories to make before first use.
    package let directories: [FilePath]
    /// Directory of tar-split files and big data.
    package let data: FilePath
    /// Directories to look for tar-split files and big data in, in order.
    package let dataSearch: [FilePath]
    /// Directory of staged tar-split files and of the deletion bin.
    package let temporary: FilePath
    /// Directories like ``temporary`` to recover.
    package var temporaries: [FilePath] { dataSearch.map { $0.appending("tmp") } }
    /// Mount counts.
    package let mounts: FilePath
    /// The lock of ``mounts``.
    package let mountsLock: FilePath
    /// Mount points of short-lived mounts for comparisons.
    package let privateMounts: FilePath
    /// Where tar-split files and big data of a layer are written: in the graph root, where the reference looks for them,
    /// and for a layer of the image store there too, for whoever shares it (store-semantics 27.2.6).
    package func dataDirectories(of layer: LayerLocation) -> [FilePath] {
      layer.role == .imageStore ? dataSearch : [data]
    }
    /// Directories with files that are written under the layer locks.
    var writtenDirectories: [FilePath] { directories + dataSearch.map { DependentsDirectory(data: $0).path } }
    /// The graph root's own identifier among those that share its image store.
    package var identity: FilePath { data.appending(StoreTopology.identityName) }
  }

  /// The name of ``LayerPlaces/identity``.
  static let identityName = FilePath.Component("graph-root-id")

  /// An additional store's layers.
  package struct AdditionalLayerPlaces: Hashable, Sendable {
    /// Record files in load order.
    package let documents: [LayerDocument]
    /// The lock file.
    package let lock: FilePath
    /// Directory of tar-split files and big data.
    package let data: FilePath
    /// Directory of its owner's deletion bin.
    package var temporary: FilePath { data.appending("tmp") }
  }

  /// One store of images.
  package struct ImagePlaces: Hashable, Sendable {
    /// Directory of the record file, the lock and the images' directories.
    package let directory: FilePath
    /// Where directories of removed images wait for their deletion: beside the layers of that store.
    package let bin: FilePath
    /// Whether images may be changed here.
    package let isWritable: Bool
    /// The record file.
    package var records: FilePath { directory.appending("images.json") }
    /// The lock file.
    package var lock: FilePath { directory.appending("images.lock") }
  }

  /// The store of containers.
  package struct ContainerPlaces: Hashable, Sendable {
    /// Directory of big data and of the containers' directories.
    package let directory: FilePath
    /// Record files in load order: stable, volatile.
    package let documents: [FilePath]
    /// Lock files in locking order; the first one's token tells of changes.
    package let locks: [FilePath]
    /// Directory of run directories.
    package let runDirectory: FilePath
  }

  /// The roots.
  package let roots: StoreRoots
  /// The driver's name, the first part of most directories' names.
  package let driverName: String
  /// Whether containers live in the run root only (on-disk-format 17).
  package let isTransient: Bool
  /// Roots of additional image stores in configured order, without those that are another place of this store.
  package let additionalRoots: [FilePath]
  /// The primary layer store.
  package let layers: LayerPlaces
  /// Additional layer stores, in configured order.
  package let additionalLayers: [AdditionalLayerPlaces]
  /// Image stores in search order: the primary one, the graph root if that is another one, additional ones.
  package let images: [ImagePlaces]
  /// The container store.
  package let containers: ContainerPlaces

  /// Index of the volatile file in ``LayerPlaces/documents``.
  package var volatileDocument: Int { layers.documents.count - 1 }

  /// Computes all places.
  package init(roots: StoreRoots, driverName: String, isTransient: Bool, additional: [FilePath]) {
    self.roots = roots
    self.driverName = driverName
    self.isTransient = isTransient
    var distinct: [FilePath] = []
    let own = [roots.graphRoot] + (roots.imageStore.map { [$0] } ?? [])
    for root in additional where !(own + distinct).contains(where: { isSamePlace($0, root) }) {
      distinct.append(root)
    }
    additionalRoots = distinct
    layers = StoreTopology.layerPlaces(roots, driverName, isTransient)
    additionalLayers = distinct.enumerated().map { index, root in
      StoreTopology.additionalLayerPlaces(root, index, driverName)
    }
    let primaries = (roots.imageStore.map { [$0] } ?? []) + [roots.graphRoot]
    images =
      primaries.map { StoreTopology.imagePlaces($0, driverName, isWritable: true) }
      + distinct.map { StoreTopology.imagePlaces($0, driverName, isWritable: false) }
    containers = StoreTopology.containerPlaces(roots, driverName, isTransient)
  }

  /// Directories that opening a store makes (store-semantics 5.1.10).
  package var directories: [FilePath] {
    let homes = layers.documents.map(\.root).filter { $0 == roots.graphRoot || $0 == roots.imageStore }
    var paths: [FilePath] = []
    for root in homes where !paths.contains(root.appending(driverName)) { paths.append(root.appending(driverName)) }
    paths += images.filter(\.isWritable).map(\.directory)
    paths += [containers.directory, containers.runDirectory, digestLocks]
    return paths
  }

  /// Locks of content digests.
  package var digestLocks: FilePath { roots.runRoot.appending("\(driverName)-locks") }

  /// Directories of images for their users; always in the graph root.
  package var imageDirectory: FilePath { roots.graphRoot.appending("\(driverName)-images") }

  /// Run directories of images.
  package var imageRunDirectory: FilePath { roots.runRoot.appending("\(driverName)-images") }

  /// The stores whose driver homes hold primary layers, in search order.
  package var layerHomes: [(role: LayerLocation.Role, root: FilePath)] {
    var homes: [(role: LayerLocation.Role, root: FilePath)] = [(.graphRoot, roots.graphRoot)]
    if let imageStore = roots.imageStore { homes.append((.imageStore, imageStore)) }
    return homes
  }

  /// All stores with layers, in search order; additional ones may be missing on disk.
  package var allHomes: [(role: LayerLocation.Role, root: FilePath)] {
    layerHomes + additionalRoots.enumerated().map { (role: .additionalImageStore($0), root: $1) }
  }

  /// Both files that volatile layers can be recorded in, whether this store is a transient one or not.
  package var volatileLayers: [FilePath] {
    [layers.data, layers.mounts.removingLastComponent()].map { $0.appending("volatile-layers.json") }
  }

  /// Both files that volatile containers can be recorded in.
  package var volatileContainers: [FilePath] {
    [containers.directory, containers.runDirectory].map { $0.appending("volatile-containers.json") }
  }

  /// The store whose layers other graph roots may need.
  package var sharedRole: LayerLocation.Role { roots.imageStore == nil ? .graphRoot : .imageStore }

  /// All lock files with the root they are below, each root's in locking order.
  package var lockFiles: [(root: FilePath, path: FilePath)] {
    let own =
      [roots.userNamespaceLock, roots.storageLock] + layers.locks + additionalLayers.map(\.lock) + images.map(\.lock)
      + containers.locks + [layers.mountsLock]
    let all = [roots.runRoot] + allHomes.map(\.root)
    return own.compactMap { path in
      // The deepest root counts: one place may be below another.
      all.filter { path.starts(with: $0) }.max { $0.length < $1.length }.map { ($0, path) }
    }
  }

  /// The kind of store at a position of ``images``.
  package func role(ofImageStore index: Int) -> LayerLocation.Role {
    let own: [LayerLocation.Role] = roots.imageStore == nil ? [.graphRoot] : [.imageStore, .graphRoot]
    return index < own.count ? own[index] : .additionalImageStore(index - own.count)
  }

  /// Index of the record file for a new layer (store-semantics 6.1).
  ///
  /// A read-only layer goes to the image store, but if its parent is in the graph root only: others who use the image store
  /// could not see the parent.
  package func documentForNewLayer(isVolatile: Bool, isWritable: Bool, over parent: LayerLocation.Role?) -> Int {
    if isVolatile { return volatileDocument }
    return !isWritable && roots.imageStore != nil && parent != .graphRoot ? 1 : 0
  }

  /// Position in ``images`` for a new image: that of the store that has its top layer, for the same reason.
  package func storeForNewImage(over top: LayerLocation.Role?) -> Int {
    roots.imageStore != nil && top == .graphRoot ? 1 : 0
  }

  private static func layerPlaces(_ roots: StoreRoots, _ driver: String, _ isTransient: Bool) -> LayerPlaces {
    let data = roots.graphRoot.appending("\(driver)-layers")
    let run = roots.runRoot.appending("\(driver)-layers")
    let image = roots.imageStore.map { (root: $0, data: $0.appending("\(driver)-layers")) }
    var documents = [
      LayerDocument(path: data.appending("layers.json"), role: .graphRoot, root: roots.graphRoot, isVolatile: false)
    ]
    if let image {
      documents.append(
        LayerDocument(path: image.data.appending("layers.json"), role: .imageStore, root: image.root, isVolatile: false)
      )
    }
    documents.append(
      LayerDocument(
        path: (isTransient ? run : data).appending("volatile-layers.json"), role: .graphRoot, root: roots.graphRoot,
        isVolatile: true))
    let imageData = image.map { [$0.data] } ?? []
    return LayerPlaces(
      documents: documents, locks: ([data] + imageData).map { $0.appending("layers.lock") },
      directories: [run, data] + imageData, data: data, dataSearch: [data] + imageData,
      temporary: data.appending("tmp"), mounts: run.appending("mountpoints.json"),
      mountsLock: run.appending("mountpoints.lock"), privateMounts: run.appending("private-mounts"))
  }

  private static func imagePlaces(_ root: FilePath, _ driver: String, isWritable: Bool) -> ImagePlaces {
    ImagePlaces(
      directory: root.appending("\(driver)-images"), bin: root.appending("\(driver)-layers").appending("tmp"),
      isWritable: isWritable)
  }

  private static func additionalLayerPlaces(_ root: FilePath, _ index: Int, _ driver: String) -> AdditionalLayerPlaces {
    let data = root.appending("\(driver)-layers")
    let documents = ["layers.json", "volatile-layers.json"].map {
      LayerDocument(
        path: data.appending($0), role: .additionalImageStore(index), root: root, isVolatile: $0 != "layers.json")
    }
    return AdditionalLayerPlaces(documents: documents, lock: data.appending("layers.lock"), data: data)
  }

  private static func containerPlaces(_ roots: StoreRoots, _ driver: String, _ isTransient: Bool) -> ContainerPlaces {
    let directory = roots.graphRoot.appending("\(driver)-containers")
    let run = roots.runRoot.appending("\(driver)-containers")
    let shifting = isTransient ? run : directory
    return ContainerPlaces(
      directory: directory,
      documents: [directory.appending("containers.json"), shifting.appending("volatile-containers.json")],
      locks: [shifting.appending("containers.lock")], runDirectory: run)
  }
}

/// Whether two paths lead to one directory: equal device and inode; paths that cannot be examined differ.
package func isSamePlace(_ left: FilePath, _ right: FilePath) -> Bool {
  if left == right { return true }
  guard let first = try? Syscall.stat(left), let second = try? Syscall.stat(right) else { return false }
  return first.isSameFile(as: second)
}
