// SPDX-License-Identifier: Apache-2.0

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
package protocol GraphDriver: Sendable {
  /// Fixed properties.
  var traits: DriverTraits { get }

  /// When content must reach the disk before a layer is recorded complete (driver option `sync`).
  var syncPolicy: SyncPolicy { get }

  /// Roots of the additional image stores: those of the options first, then those of the context, in order.
  var additionalImageStores: [FilePath] { get }

  /// Parses the options, creates the driver's directories, probes the kernel, recovers stale temporary directories and
  /// makes the home a private mount. Needs `storage.lock` exclusively. Cheap if the run root caches the probes.
  ///
  /// - Throws: `notSupported`, `prerequisites` or `incompatibleFileSystem` if another driver may be tried;
  ///   `invalidOption` and others are final (graph-drivers 1.3).
  static func make(_ context: DriverContext) throws(StorageError) -> Self

  /// The driver's directory in the store at `root`, e.g. `<root>/overlay`.
  func home(of root: FilePath) -> FilePath

  /// The directory of a layer. No look-up: it need not exist.
  func directory(of layer: LayerLocation) -> FilePath

  /// Whether the layer's directory exists.
  func exists(_ layer: LayerLocation) -> Bool

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
  /// `parents` is the *driver's* chain: for a copy it starts with the template, followed by the template's chain. A staged tree must be on the file system of the layer's store and is moved, not copied. An existing
  /// directory is a leftover without record and is removed first.
  /// After a failure nothing is left, neither of the layer nor of the staged tree.
  ///
  /// - Throws: `readOnlyStore` if the location is in an additional image store; `layerUnknown` if the parent's directory
  ///   is missing; `invalidOption`, `system`.
  func create(
    _ layer: LayerLocation, over parents: [LayerLocation], _ options: LayerCreateOptions,
    staged: consuming StagedLayer?
  ) throws(StorageError)

  /// Where and how a diff is extracted into an existing layer. Needs layers exclusively until the extraction is done.
  func applyTarget(for layer: LayerLocation, over parents: [LayerLocation], idMaps: IDMaps) throws(StorageError)
    -> ApplyTarget

  /// Adds the driver's words to an error of the extraction (archive-and-diff 11.1).
  func wrapApplyError(_ error: StorageError) -> StorageError

  /// Makes a layer unusable by moving it into `bins`; a missing layer is success. Needs layers exclusively.
  ///
  /// - Throws: `readOnlyStore` for an additional image store, `system`. What was moved stays in `bins`.
  func remove(_ layer: LayerLocation, into bins: inout DeferredRemoval) throws(StorageError)

  /// Gives the tree of a layer another name, while mounts that use it go on. Only if ``DriverTraits/hasKernelMounts``. Needs
  /// layers exclusively. What older programs refer to by a short name leads to the renamed tree.
  ///
  /// - Throws: `system`; a missing layer is success.
  func retire(_ layer: LayerLocation, as id: LayerID) throws(StorageError)

  /// Directories with stale temporary trees to recover when a layer store is loaded with its lock held exclusively.
  func temporaryRoots() -> [FilePath]

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
  func contentRoots(of layer: LayerLocation, over parents: [LayerLocation]) -> [FilePath]

  /// Where the difference between `layer` and the layer `from` can be read; `nil` stands for no layer (the whole
  /// content of a base layer).
  func diffSource(of layer: LayerLocation, over parents: [LayerLocation], from: LayerID?) -> DiffSource

  /// The size in bytes of the difference to `from` if the driver can tell without presenting trees, else `nil`.
  func diffSize(of layer: LayerLocation, over parents: [LayerLocation], from: LayerID?) throws(StorageError) -> Int64?

  /// Identifiers (unchecked names) of all layers in the store at `root`, sorted; leftovers of probes are left out.
  func listLayers(in root: FilePath) throws(StorageError) -> [String]

  /// What lies in the driver's home of the store at `root` and belongs to no layer, recorded or not, in no particular order;
  /// changes nothing. `recorded` are all layers with a record in that store. What a living process works on is left out.
  ///
  /// Needs `storage.lock` and layers exclusively, and may not be called for an additional image store.
  func strays(in root: FilePath, recorded: Set<LayerID>) throws(StorageError) -> [DriverStray]

  /// Bytes and inodes of the writable part of a layer (graph-drivers 23).
  func diskUsage(of layer: LayerLocation) throws(StorageError) -> (size: Int64, inodes: Int)

  /// Key-value pairs for `status`, in the fixed order of graph-drivers 1.4.
  func status() -> [(String, String)]

  /// Key-value pairs about a layer, sorted by key (graph-drivers 1.5).
  ///
  /// - Throws: `layerUnknown` if the layer's directory is missing and the driver needs it.
  func metadata(of layer: LayerLocation, over parents: [LayerLocation]) throws(StorageError) -> [(String, String)]

  /// Whether layers can be presented with owners shifted to `maps`; empty maps ask in general.
  func supportsShifting(_ maps: IDMaps) -> Bool

  /// What a shutdown does: removes stale staging directories and the private mount of the home.
  func cleanUp() throws(StorageError)

  /// Compares what the driver keeps on disk about parentage with the records; changes nothing.
  func linkFindings(_ chains: [LayerChain]) -> [LinkFinding]

  /// Whether older programs lack a link to mount the layer, or have a wrong list of parents, which
  /// ``repairLinks(_:in:mounted:)`` would restore; a quick look.
  func lacksLinks(_ chain: LayerChain) throws(StorageError) -> Bool

  /// Restores lost links and lists of recorded layers, and removes dangling ones, in the store at `root` (changes-1.64 6.3).
  ///
  /// Layers of other stores among `chains` are passed over; layers in `mounted` keep their lists. Needs layers
  /// exclusively; must not be called for an additional image store.
  ///
  /// - Returns: what was repaired.
  @discardableResult
  func repairLinks(_ chains: [LayerChain], in root: FilePath, mounted: Set<LayerID>) throws(StorageError)
    -> [LinkFinding]
}

/// A disagreement between a layer's record and what the driver keeps about its parents.
package struct LinkFinding: Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  package enum Kind: Hashable, Sendable {
    /// The file with the layer's short name is missing, empty or unusable.
    case shortNameMissing
    /// No entry with the layer's short name leads to the layer.
    case linkMissing(name: String)
    /// An entry leads to a layer that is neither recorded nor on disk, or is a second one for a layer.
    case linkDangling(name: String)
    /// The list of short names is missing.
    case lowerMissing
    /// The list of identifiers is missing (normal for layers written by versions before 1.64) or unusable.
    case lowerLayersMissing
    /// A list names other parents than the record.
    case parentsDiffer(file: String)
  }

  /// The layer, or `nil` for a dangling entry.
  package let layer: LayerID?
  /// The kind of disagreement.
  package let kind: Kind

  /// States a disagreement.
  package init(layer: LayerID?, kind: Kind) {
    self.layer = layer
    self.kind = kind
  }

  /// One line for people.
  package var description: String {
    let subject = layer.map { "layer \($0): " } ?? ""
    return switch kind {
    case .shortNameMissing: subject + "link file is missing or unusable"
    case .linkMissing(let name): subject + "link l/\(name) is missing"
    case .linkDangling(let name): subject + "link l/\(name) leads nowhere"
    case .lowerMissing: subject + "file lower is missing"
    case .lowerLayersMissing: subject + "file lower-layers is missing or unusable"
    case .parentsDiffer(let file): subject + "file \(file) disagrees with the recorded parents"
    }
  }
}

extension GraphDriver {
  /// Makes a layer without staged content. See ``create(_:over:_:staged:)``.
  package func create(
    _ layer: LayerLocation, over parents: [LayerLocation], _ options: LayerCreateOptions
  ) throws(StorageError) {
    try create(layer, over: parents, options, staged: nil)
  }

  /// Drivers without mounts have nobody who goes on using a tree.
  package func retire(_ layer: LayerLocation, as id: LayerID) throws(StorageError) {
    throw StorageError(.notSupported, "\(traits.name): layers are not in use by mounts", subject: layer.id.rawValue)
  }

  /// Drivers without links have nothing to compare.
  package func linkFindings(_ chains: [LayerChain]) -> [LinkFinding] { [] }

  /// Drivers without links lack none.
  package func lacksLinks(_ chain: LayerChain) throws(StorageError) -> Bool { false }

  /// Drivers without links have nothing to repair.
  @discardableResult
  package func repairLinks(
    _ chains: [LayerChain], in root: FilePath, mounted: Set<LayerID>
  ) throws(StorageError) -> [LinkFinding] { [] }
}
