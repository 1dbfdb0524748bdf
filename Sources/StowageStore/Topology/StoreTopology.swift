// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
package import SystemPackage

/// Where everything of a store lives, decided once at open.
///
/// Immutable. Nobody else joins root paths. Whatever can be in several stores is an ordered list; callers loop over it.
package struct StoreTopology: Hashable, Sendable {
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
      primaries.map { StoreTopology.imagePlaces($0, driverName, isWritable: !roots.isReadOnly) }
      + distinct.map { StoreTopology.imagePlaces($0, driverName, isWritable: false) }
    containers = StoreTopology.containerPlaces(roots, driverName, isTransient)
  }

  /// Directories that opening a store makes (store-semantics 5.1.10); only in the run root if the store can only be read.
  package var directories: [FilePath] {
    if roots.isReadOnly { return [containers.runDirectory, digestLocks] }
    let homes = layers.documents.map(\.root).filter { $0 == roots.graphRoot || $0 == roots.imageStore }
    var paths: [FilePath] = []
    for root in homes where !paths.contains(root.appending(driverName)) { paths.append(root.appending(driverName)) }
    paths += images.filter(\.isWritable).map(\.directory)
    paths += [containers.directory, containers.runDirectory, digestLocks]
    return paths
  }

  /// What no layer may be named, as these names have a meaning of their own beside layers on disk.
  static let reservedNames = [
    "l", "staging", "tempdirs", "backingFsBlockDev", ".has-mount-program", "tmp", "lost+found",
  ]

  /// Locks of content digests.
  package var digestLocks: FilePath { roots.runRoot.appending("\(driverName)-locks") }

  /// Where trees that are deleted wait, beside those of the driver.
  package var bins: [FilePath] {
    var bins = layers.temporaries
    for place in images where place.isWritable { bins += [place.bin, place.place.temporary] }
    bins += [containers.bin, containers.place.temporary]
    var seen: Set<FilePath> = []
    return bins.filter { seen.insert($0).inserted }
  }

  /// Record files that a deletion writes anew.
  package var records: [FilePath] {
    layers.documents.map(\.path) + images.filter(\.isWritable).map(\.place.records) + containers.documents
  }

  /// Directories of images for their users; always in the graph root.
  package var imageDirectory: FilePath { ImageDirectory(roots.graphRoot, driver: driverName).path }

  /// Run directories of images.
  package var imageRunDirectory: FilePath { ImageDirectory(roots.runRoot, driver: driverName).path }

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
    [layers.data.volatileRecords, layers.run.volatileRecords]
  }

  /// Both files that volatile containers can be recorded in.
  package var volatileContainers: [FilePath] {
    [containers.place, containers.runPlace].map(\.volatileRecords)
  }

  /// The store whose layers other graph roots may need.
  package var sharedRole: LayerLocation.Role { roots.imageStore == nil ? .graphRoot : .imageStore }

  /// All lock files with the root they are below, each root's in locking order.
  package var lockFiles: [(root: FilePath, path: FilePath)] {
    let own =
      [roots.userNamespaceLock, roots.storageLock] + layers.locks + additionalLayers.map(\.data.lock)
      + images.map(\.place.lock)
      + containers.locks + [layers.run.mountsLock]
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
}
