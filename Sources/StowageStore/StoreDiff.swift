// SPDX-License-Identifier: Apache-2.0

internal import StowageCompression
internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageMounts
internal import StowageSystem
internal import SystemPackage

/// Two layers to be compared.
private struct Comparison {
  let layer: FoundLayer
  let chain: [LayerLocation]
  /// The older layer; `nil` for none.
  let from: FoundLayer?
  let fromChain: [LayerLocation]
  /// Whether the older layer is the parent.
  var isAgainstParent: Bool { from?.id == layer.record.parent }

  /// Where the driver has the difference.
  func source(_ driver: any GraphDriver) -> DiffSource {
    driver.differenceReading?.diffSource(of: layer.location, over: chain, from: from?.id) ?? .trees
  }
}

extension Store {
  /// The differences of a layer (store-semantics 17.2).
  func changes(of nameOrID: String, from: String?) throws(StorageError) -> [LayerChange] {
    try withLayers { (layers) throws(StorageError) -> [LayerChange] in
      let pair = try self.resolve(nameOrID, from, layers)
      let changes: [Change]
      switch pair.source(layers.driver) {
      case .overlay(let upper, let lowers, let attributes):
        changes = try overlayChanges(upper: upper, lowers: lowers, attributes: attributes)
      case .trees:
        changes = try self.withTrees(pair, layers) { (new, old) throws(StorageError) -> [Change] in
          try treeChanges(
            new: new, old: old, newMaps: pair.layer.record.idMaps, oldMaps: pair.from?.record.idMaps ?? IDMaps())
        }
      }
      return changes.map { LayerChange(path: $0.path, kind: LayerChange.Kind(rawValue: $0.kind.rawValue) ?? .modify) }
    }
  }

  /// The size of the differences.
  func diffSize(of nameOrID: String, from: String?) throws(StorageError) -> Int64 {
    try withLayers { (layers) throws(StorageError) -> Int64 in
      let pair = try self.resolve(nameOrID, from, layers)
      return try self.diffSize(pair, layers)
    }
  }

  /// The size of what a layer changes relative to its parent.
  func diffSize(of layer: FoundLayer, _ layers: borrowing LayersReading) throws(StorageError) -> Int64 {
    try diffSize(try compare(layer, nil, layers), layers)
  }

  private func diffSize(_ pair: Comparison, _ layers: borrowing LayersReading) throws(StorageError) -> Int64 {
    let driver = layers.driver
    let size = try driver.differenceReading?.diffSize(
      of: pair.layer.location, over: pair.chain, from: pair.from?.id)
    if let size { return size }
    return try withTrees(pair, layers) { (new, old) throws(StorageError) -> Int64 in
      let changes = try treeChanges(
        new: new, old: old, newMaps: pair.layer.record.idMaps, oldMaps: pair.from?.record.idMaps ?? IDMaps())
      return try changesSize(changes, in: new)
    }
  }

  /// Writes a diff (store-semantics 17.2).
  func writeDiff(
    of nameOrID: String, from: String?, compression: Compression?, to output: LayerOutput
  ) throws(StorageError) {
    try withLayers { (layers) throws(StorageError) in
      let pair = try self.resolve(nameOrID, from, layers)
      let sink = try output.sink(compression ?? pair.layer.record.compression)
      if pair.isAgainstParent, let file = layers.tarSplitFile(of: pair.layer) {
        let roots = layers.driver.contentRoots(of: pair.layer.location, over: pair.chain)
        try reassembleLayer(tarSplit: file, roots: roots, to: sink)
      } else {
        try self.generate(pair, layers, sink)
      }
      do throws(ArchiveError) { try sink.finish() } catch { throw error.asStorageError }
    }
  }

  private func generate(
    _ pair: Comparison, _ layers: borrowing LayersReading, _ sink: any ByteSink
  ) throws(StorageError) {
    let maps = pair.layer.record.idMaps
    switch pair.source(layers.driver) {
    case .overlay(let upper, let lowers, let attributes):
      try writeOverlayDiff(upper: upper, lowers: lowers, attributes: attributes, maps: maps, to: sink)
    case .trees:
      try withTrees(pair, layers) { (new, old) throws(StorageError) in
        try writeTreeDiff(new: new, old: old, maps: maps, oldMaps: pair.from?.record.idMaps ?? IDMaps(), to: sink)
      }
    }
  }

  // MARK: Help

  private func resolve(
    _ nameOrID: String, _ from: String?, _ layers: borrowing LayersReading
  ) throws(StorageError) -> Comparison {
    guard let layer = layers.find(nameOrID) else { throw StorageError(.layerUnknown, subject: nameOrID) }
    return try compare(layer, from, layers)
  }

  private func compare(
    _ layer: FoundLayer, _ from: String?, _ layers: borrowing LayersReading
  ) throws(StorageError) -> Comparison {
    let ancestors = try layers.ancestors(of: layer)
    var older = ancestors.first
    if let from, !from.isEmpty, let found = layers.find(from) { older = found }
    let olderChain = try older.map { (layer) throws(StorageError) in try layers.chain(of: layer) } ?? []
    return Comparison(layer: layer, chain: ancestors.map(\.location), from: older, fromChain: olderChain)
  }

  /// Lends both trees as directories. Where a driver must mount to show a tree, this happens at a place of our own, so
  /// that counts and mount points of others are not touched (on-disk-format 20.3).
  private func withTrees<R>(
    _ pair: Comparison, _ layers: borrowing LayersReading,
    _ body: (FilePath, FilePath?) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    let new = try PrivateMount(pair.layer.location, pair.chain, layers.driver, topology)
    defer { new.end() }
    guard let from = pair.from else { return try body(new.path, nil) }
    let old = try PrivateMount(from.location, pair.fromChain, layers.driver, topology)
    defer { old.end() }
    return try body(new.path, old.path)
  }
}

/// A read-only presentation of a layer at a directory of our own, not counted. If the process dies, the next opener ends
/// it.
struct PrivateMount {
  /// Where the tree is.
  let path: FilePath
  private let place: Place?

  /// A directory with an instance lock, which shows that this process lives.
  private final class Place: Sendable {
    let directory: StagedDirectory
    let tree: FilePath

    init(_ root: FilePath) throws(StorageError) {
      directory = try StagedDirectory.create(in: root)
      tree = directory.addition()
      try makeDirectories(tree, mode: 0o700)
    }
  }

  /// Mounts, if the driver must mount at all.
  init(
    _ layer: LayerLocation, _ chain: [LayerLocation], _ driver: any GraphDriver, _ topology: StoreTopology
  ) throws(StorageError) {
    let plan = try driver.mountPlan(for: layer, over: chain, MountOptions(options: ["ro"]))
    guard plan.hasMount else {
      path = plan.mountPoint
      place = nil
      return
    }
    let place = try Place(topology.layers.privateMounts)
    self.place = place
    path = place.tree
    try MountExecutor.perform(plan.mounting(at: place.tree))
  }

  /// Unmounts; a failure is logged. The directory goes with the last copy of this value.
  func end() {
    guard let place else { return }
    do throws(StorageError) {
      try MountExecutor.unmount(place.tree)
    } catch {
      Log.warning("cannot remove the temporary mount \(place.tree): \(error)")
    }
  }
}

extension LayerOutput {
  /// A sink that compresses as wanted.
  func sink(_ compression: Compression) throws(StorageError) -> any ByteSink {
    let plain: any ByteSink
    switch destination {
    case .descriptor(let descriptor): plain = DescriptorSink(descriptor)
    case .sink(let sink): plain = sink
    }
    do throws(ArchiveError) {
      switch compression {
      case .none: return plain
      case .gzip: return try GzipSink(plain)
      case .zstd: return try ZstdSink(plain)
      case .bzip2, .xz:
        throw ArchiveError(.unsupported, "unsupported compression format \(compression.tarExtension)")
      }
    } catch {
      throw error.asStorageError
    }
  }
}

extension ArchiveError {
  /// The same failure as a store shows it.
  var asStorageError: StorageError {
    let code: StorageError.Code =
      switch kind {
      case .unsupported: .notSupported
      case .system: .system
      case .cancelled: .cancelled
      default: .invalidArchive
      }
    return StorageError(code, message, cause: self)
  }
}
