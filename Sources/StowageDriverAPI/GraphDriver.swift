// SPDX-License-Identifier: Apache-2.0

import StowageDiff
package import StowageFiles
package import StowageModel
package import StowageMounts
package import SystemPackage

/// A way to keep layers on disk and to present them as file trees.
///
/// A driver is a value made when a store is opened. It holds no layer table and searches nothing: layers come as
/// ``LayerLocation`` with their whole chain, nearest parent first. The caller holds the locks named per function;
/// "layers" is the lock of the layer store that holds the layer. Nothing below an additional image store is ever
/// written.
///
/// What only some drivers can do is a protocol of its own (`Capabilities`), which the caller finds by a property named like
/// it: `driver.ownerShifting?.supportsShifting(maps) ?? false`.
package protocol GraphDriver: Sendable {
  /// Fixed properties.
  var traits: DriverTraits { get }

  /// Parses the options, creates the driver's directories, probes the kernel, recovers stale temporary directories and
  /// makes the home a private mount. Needs `storage.lock` exclusively. Cheap if the run root caches the probes.
  ///
  /// - Throws: `notSupported`, `prerequisites` or `incompatibleFileSystem` if another driver may be tried;
  ///   `invalidOption` and others are final (graph-drivers 1.3).
  static func make(_ context: DriverContext) throws(StorageError) -> Self

  /// The directory of a layer. No look-up: it need not exist.
  func directory(of layer: LayerLocation) -> FilePath

  /// Whether the layer's directory exists.
  ///
  /// - Throws: `system` if that cannot be told, which is never to be taken for absence.
  func exists(_ layer: LayerLocation) throws(StorageError) -> Bool

  /// Prepares the tree of a layer-to-be in a staged directory of the store at `targetRoot`. Needs no lock.
  ///
  /// The tree is what ``create(_:over:_:staged:)`` would begin with: empty, or a copy of the nearest parent if the driver
  /// ``DriverTraits/copiesParent``, if the layer is a copy, or if owners are to be changed. Nobody keeps the parent from
  /// vanishing or changing meanwhile: a copy counts only if the parent is found unchanged when the layers lock is held again.
  ///
  /// - Throws: `driverLayerUnknown` (`parent layer "X": …`) if the nearest parent has no directory; `system`.
  func stage(over parents: [LayerLocation], targetRoot: FilePath, _ options: LayerCreateOptions) throws(StorageError)
    -> StagedLayer

  /// Makes a layer, of the staged tree if there is one, else as ``stage(over:targetRoot:_:)`` would begin it. Needs layers
  /// exclusively.
  ///
  /// `parents` is the *driver's* chain: for a copy it starts with the template, followed by the template's chain. A staged
  /// tree must be on the file system of the layer's store and is moved, not copied. An existing directory is a leftover
  /// without record, of which the caller has made sure, and is removed first. After a failure nothing is left, neither of the
  /// layer nor of the staged tree. What the layer consists of is on the device when it returns, but for names in
  /// ``sharedDirectories(of:)``.
  ///
  /// - Throws: `readOnlyStore` if the location is in an additional image store; `layerUnknown` if the parent's directory
  ///   is missing; `invalidOption`, `system`.
  func create(
    _ layer: LayerLocation, over parents: [LayerLocation], _ options: LayerCreateOptions,
    staged: consuming StagedLayer?
  ) throws(StorageError)

  /// The directories with names of a layer that have those of other layers, too. Who makes layers flushes them once for all,
  /// before the records vouch for these (``flushNames(of:)``). Empty if content is not forced to the device.
  func sharedDirectories(of layer: LayerLocation) -> [FilePath]

  /// Where and how a diff is extracted into an existing layer. Needs layers exclusively until the extraction is done.
  func applyTarget(for layer: LayerLocation, over parents: [LayerLocation], idMaps: IDMaps) throws(StorageError)
    -> ApplyTarget

  /// Makes a layer unusable by moving it into `bins`; a missing layer is success. Needs layers exclusively.
  ///
  /// - Throws: `readOnlyStore` for an additional image store, `system`. What was moved stays in `bins`.
  func remove(_ layer: LayerLocation, into bins: inout DeferredRemoval) throws(StorageError)

  /// The steps that present a layer. Reads the disk, changes nothing. Needs layers (of all stores of the chain) until
  /// ``MountExecutor/perform(_:)`` returns.
  ///
  /// - Throws: `layerUnknown` if the layer or an ancestor is missing; `invalidOption`; `notSupported` if the maps need
  ///   owner shifting that is not available.
  func mountPlan(for layer: LayerLocation, over parents: [LayerLocation], _ options: MountOptions) throws(StorageError)
    -> MountPlan

  /// The steps that end the presentation of a layer. Needs layers exclusively.
  func unmountPlan(for layer: LayerLocation) -> MountPlan

  /// Directories to read a layer's own files from when its archive is re-assembled, nearest first.
  func contentRoots(of layer: LayerLocation, over parents: [LayerLocation]) throws(StorageError) -> [FilePath]

  /// Identifiers (unchecked names) of all layers in the store at `root`, sorted; leftovers of probes are left out.
  func listLayers(in root: FilePath) throws(StorageError) -> [String]
}

extension GraphDriver {
  /// Makes a layer without staged content. See ``create(_:over:_:staged:)``.
  package func create(
    _ layer: LayerLocation, over parents: [LayerLocation], _ options: LayerCreateOptions
  ) throws(StorageError) {
    try create(layer, over: parents, options, staged: nil)
  }

  /// Forces the names of layers that were made to the device.
  package func flushNames(of layers: [LayerLocation]) throws(StorageError) {
    var seen: Set<FilePath> = []
    let directories = layers.flatMap { sharedDirectories(of: $0) }.filter { seen.insert($0).inserted }
    try AtomicFile.syncDirectories(directories)
  }

  /// When content must reach the disk before a layer is recorded complete.
  package var syncPolicy: SyncPolicy { traits.syncPolicy }

  /// Bytes and inodes of the writable part of a layer (graph-drivers 23): of the nearest content root.
  package func diskUsage(of layer: LayerLocation) throws(StorageError) -> (size: Int64, inodes: Int) {
    let root = try contentRoots(of: layer, over: []).first ?? directory(of: layer)
    let usage = try StowageDiff.diskUsage(of: root)
    return (usage.size, usage.inodes)
  }
}
