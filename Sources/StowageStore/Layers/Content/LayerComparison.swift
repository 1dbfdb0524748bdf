// SPDX-License-Identifier: Apache-2.0

internal import StowageCompression
internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Two layers to be compared, found under the layer lock (store-semantics 17.2).
struct LayerComparison {
  private let store: Store
  private let layer: FoundLayer
  private let ancestors: [FoundLayer]
  /// The older layer; `nil` for none.
  private let from: FoundLayer?
  private let fromAncestors: [FoundLayer]
  /// The maps of the owners on disk of both.
  private let maps: IDMaps
  private let fromMaps: IDMaps

  /// Whether the older layer is the parent.
  private var isAgainstParent: Bool { from?.id == layer.record.parent }
  private var chain: [LayerLocation] { ancestors.map(\.location) }
  private var fromChain: [LayerLocation] { fromAncestors.map(\.location) }

  /// Compares a layer with another one, or with its parent if that is not given or not known.
  ///
  /// - Throws: `layerUnknown`, also for an ancestor that is recorded nowhere; `corrupt`.
  init(
    of nameOrID: String, from: String?, _ layers: borrowing LayersReading, _ store: Store
  ) throws(StorageError) {
    guard let layer = layers.find(nameOrID) else { throw StorageError(.layerUnknown, subject: nameOrID) }
    try self.init(of: layer, from: from, layers, store)
  }

  /// Compares a layer with another one, or with its parent if that is not given or not known.
  ///
  /// - Throws: `layerUnknown` for an ancestor that is recorded nowhere; `corrupt`.
  init(
    of layer: FoundLayer, from: String? = nil, _ layers: borrowing LayersReading, _ store: Store
  ) throws(StorageError) {
    self.store = store
    let ancestors = try layers.ancestors(of: layer)
    var older = ancestors.first
    if let from, !from.isEmpty, let found = layers.find(from) { older = found }
    self.layer = layer
    self.ancestors = ancestors
    self.from = older
    fromAncestors = try older.map { (layer) throws(StorageError) in try layers.ancestors(of: layer) } ?? []
    maps = try layers.storedMaps(of: layer, store)
    fromMaps = try older.map { (layer) throws(StorageError) in try layers.storedMaps(of: layer, store) } ?? IDMaps()
  }

  /// Where the driver has the difference.
  private func source(_ driver: any GraphDriver) -> DiffSource {
    driver.differenceReading?.diffSource(of: layer.location, over: chain, from: from?.id) ?? .trees
  }

  /// The differences, sorted by path.
  ///
  /// - Throws: `notSupported` if a composefs layer is among the two or below them.
  func changes(_ layers: borrowing LayersReading) throws(StorageError) -> [LayerChange] {
    try refuseComposefs(layers.driver)
    let changes: [Change]
    switch source(layers.driver) {
    case .overlay(let upper, let lowers, let attributes):
      changes = try overlayChanges(upper: upper, lowers: lowers, attributes: attributes)
    case .trees:
      changes = try withTrees(layers) { (new, old) throws(StorageError) -> [Change] in
        try treeChanges(new: new, old: old, newMaps: maps, oldMaps: fromMaps)
      }
    }
    return changes.map { LayerChange(path: $0.path, kind: LayerChange.Kind(rawValue: $0.kind.rawValue) ?? .modify) }
  }

  /// The size of the differences in bytes.
  func size(_ layers: borrowing LayersReading) throws(StorageError) -> Int64 {
    let size = try layers.driver.differenceReading?.diffSize(of: layer.location, over: chain, from: from?.id)
    if let size { return size }
    return try withTrees(layers) { (new, old) throws(StorageError) -> Int64 in
      try changesSize(try treeChanges(new: new, old: old, newMaps: maps, oldMaps: fromMaps), in: new)
    }
  }

  /// Writes the diff; the one that the layer was made from if it is compared with its parent. After a failure part of it is
  /// written.
  ///
  /// - Throws: `notSupported` if it is the content of another program's form of layer that would have to be read, as that would
  ///   give another diff.
  ///
  /// - Parameters:
  ///   - compression: `nil` for that of the archive the layer was made from.
  ///   - isStrict: whether what cannot be in an archive is an error instead of being left out.
  ///   - isAnew: the archive is made of the tree alone, although there is a tar-split file.
  func write(
    to output: LayerOutput, _ compression: Compression?, isStrict: Bool, _ layers: borrowing LayersReading,
    isAnew: Bool = false
  ) throws(StorageError) {
    try refuseUnreadable(layers)
    let sink = try output.sink(compression ?? layer.record.compression)
    if !isAnew, isAgainstParent, let file = layers.tarSplitFile(of: layer) {
      let roots = try layers.driver.contentRoots(of: layer.location, over: chain)
      try reassembleLayer(tarSplit: file, roots: roots, to: sink)
    } else {
      try generate(sink, isStrict ? .refused : .omitted, layers)
    }
    do throws(ArchiveError) { try sink.finish() } catch { throw error.asStorageError }
  }

  /// The archive that the layer was made from, to be read when the lock is released.
  ///
  /// - Throws: `notSupported`, as ``write(to:_:isStrict:_:isAnew:)``.
  func archive(_ layers: borrowing LayersReading) throws(StorageError) -> LayerArchive {
    try refuseUnreadable(layers)
    guard let file = layers.tarSplitFile(of: layer) else { return try LayerArchive(layer, .tree, store) }
    return try LayerArchive(
      layer, .tarSplit(file, roots: try layers.driver.contentRoots(of: layer.location, over: chain)), store)
  }

  private func refuseUnreadable(_ layers: borrowing LayersReading) throws(StorageError) {
    let driver = layers.driver
    let isKept = isAgainstParent && layers.tarSplitFile(of: layer) != nil
    switch try driver.foreignForm(of: layer.location) {
    case .additionalLayer where isAgainstParent && !isKept:
      // What it was made from is the blob in that store; an archive of its tree would have another digest.
      throw StorageError(
        .notSupported,
        "layer \(layer.id) is one of an additional layer store, whose archives this version cannot read: "
          + "use the program that pulled the image",
        subject: layer.id.rawValue)
    case nil where isKept, .additionalLayer where isKept: return
    default: try refuseComposefs(driver)
    }
  }

  /// Over composefs layers the upper directory has files without data and renamed directories without content, and what lower
  /// layers have cannot be seen (chunked-and-composefs 4.1).
  private func refuseComposefs(_ driver: any GraphDriver) throws(StorageError) {
    let all = [layer.location] + chain + (from.map { [$0.location] } ?? []) + fromChain
    guard let found = try driver.first(.composefs, of: all) else { return }
    throw StorageError(
      .notSupported,
      "layer \(layer.id) cannot be compared: layer \(found.id) is a composefs layer, which this version cannot read: "
        + "use the program that pulled the image",
      subject: layer.id.rawValue)
  }

  private func generate(
    _ sink: any ByteSink, _ names: MarkNames, _ layers: borrowing LayersReading
  ) throws(StorageError) {
    let difference = try difference(layers)
    defer { difference.end() }
    try difference.write(names, to: sink)
  }

  /// What the layer has that the other one has not.
  ///
  /// - Throws: `notSupported` if a composefs layer is among the two or below them.
  func difference(_ layers: borrowing LayersReading) throws(StorageError) -> LayerDifference {
    try refuseComposefs(layers.driver)
    switch source(layers.driver) {
    case .overlay(let upper, let lowers, let attributes):
      return LayerDifference(
        content: .overlay(upper: upper, lowers: lowers, attributes: attributes), maps: maps, oldMaps: fromMaps)
    case .trees:
      let (new, old) = try trees(layers)
      return LayerDifference(content: .trees(new: new, old: old), maps: maps, oldMaps: fromMaps)
    }
  }

  /// The whole tree that the layer presents, as a difference to nothing.
  ///
  /// - Throws: `notSupported`, as ``difference(_:)``.
  func tree(_ layers: borrowing LayersReading) throws(StorageError) -> LayerDifference {
    try refuseComposefs(layers.driver)
    return LayerDifference(
      content: .trees(new: try mount(layer, ancestors, maps, layers), old: nil), maps: maps, oldMaps: IDMaps())
  }

  /// Lends both trees as directories. Where a driver must mount to show a tree, this happens at a place of our own, so
  /// that counts and mount points of others are not touched (on-disk-format 20.3).
  private func withTrees<R>(
    _ layers: borrowing LayersReading, _ body: (FilePath, FilePath?) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    let (new, old) = try trees(layers)
    defer {
      new.end()
      old?.end()
    }
    return try body(new.path, old?.path)
  }

  /// Presents both trees, or nothing.
  private func trees(_ layers: borrowing LayersReading) throws(StorageError) -> (new: PrivateMount, old: PrivateMount?)
  {
    let new = try mount(layer, ancestors, maps, layers)
    guard let from else { return (new, nil) }
    do throws(StorageError) { return (new, try mount(from, fromAncestors, fromMaps, layers)) } catch {
      new.end()
      throw error
    }
  }

  /// Presents a layer with the owners that the maps of its own files give it, so that the whole tree has the same maps.
  private func mount(
    _ layer: FoundLayer, _ ancestors: [FoundLayer], _ maps: IDMaps, _ layers: borrowing LayersReading
  ) throws(StorageError) -> PrivateMount {
    let driver = layers.driver
    var options = MountOptions(idMaps: maps)
    options.mappedLayers = layers.mappedLayers(layer, ancestors).union(maps.isEmpty ? [] : [layer.id])
    options.disableShifting = driver.ownerShifting?.supportsShifting(maps) != true
    return try PrivateMount(layer.location, ancestors.map(\.location), driver, layers.store.topology, options)
  }
}

extension LayersReading {
  /// The maps of the owners that a layer's own files have on disk: those of its record, else, where the kernel shifts the layers
  /// below, those of the container that it belongs to (changes-1.65 1).
  func storedMaps(of layer: FoundLayer, _ store: Store) throws(StorageError) -> IDMaps {
    guard layer.record.idMaps.isEmpty, layer.location.isWritable, driver.ownerShifting?.storesHostIDs == true else {
      return layer.record.idMaps
    }
    // What came as an archive is no container's, and can be read while records of containers are lost.
    if layer.record.diffDigest != nil { return IDMaps() }
    return try store.read([.containers]) { (access) throws(StorageError) in
      access.containers.records.first { $0.layer == layer.id }?.idMaps ?? IDMaps()
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
