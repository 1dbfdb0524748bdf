// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// What can be done with the layers of a store. Names stand for identifiers and unique identifier prefixes too.
public struct LayerOperations: Sendable {
  let store: Store

  // MARK: Looking

  /// All layers: primary store, then additional image stores; not de-duplicated.
  public func list() throws(StorageError) -> [LayerInfo] {
    try store.read([.layers]) { (access) throws(StorageError) in access.layers.list() }
  }

  /// One layer.
  ///
  /// - Throws: `layerUnknown`.
  public func find(_ nameOrID: String) throws(StorageError) -> LayerInfo {
    try withLayer(nameOrID) { (layer, layers) throws(StorageError) in layers.info(layer) }
  }

  /// The layers whose diff had this digest as presented.
  ///
  /// - Throws: `invalidDigest`; `layerUnknown` if there are none.
  public func byCompressedDigest(_ digest: String) throws(StorageError) -> [LayerInfo] {
    try matching(digest, "looking for compressed layers matching digest") { $0.compressedDiffDigest }
  }

  /// The layers whose uncompressed diff has this digest.
  ///
  /// - Throws: `invalidDigest`; `layerUnknown` if there are none.
  public func byDiffDigest(_ digest: String) throws(StorageError) -> [LayerInfo] {
    try matching(digest, "looking for layers matching digest") { $0.diffDigest }
  }

  /// The partially pulled layers whose table of contents has this digest.
  ///
  /// - Throws: `invalidDigest`; `layerUnknown` if there are none.
  public func byTOCDigest(_ digest: String) throws(StorageError) -> [LayerInfo] {
    try matching(digest, "looking for TOC matching digest") { $0.tocDigest }
  }

  /// The size in bytes of the uncompressed diff, -1 if it is not known.
  ///
  /// - Throws: `layerUnknown`.
  public func size(of nameOrID: String) throws(StorageError) -> Int64 {
    let record = try find(nameOrID).record
    return record.diffDigest != nil || record.tocDigest != nil ? record.diffSize : -1
  }

  /// The root of the store that has a layer's tree: the graph root, the image store, or an additional image store.
  ///
  /// - Throws: `layerUnknown`.
  public func root(of nameOrID: String) throws(StorageError) -> String {
    try withLayer(nameOrID) { (layer, _) throws(StorageError) in layer.location.root.string }
  }

  /// Names of the layers that the driver has in the graph root, recorded or not, sorted.
  public func listInDriver() throws(StorageError) -> [String] {
    try store.drivers.current().listLayers(in: store.topology.roots.graphRoot)
  }

  // MARK: Deleting

  /// Deletes a layer that nothing depends on (store-semantics 18.2).
  ///
  /// - Parameter force: also if layers of other graph roots on this image store are built on it: they become unusable.
  /// - Throws: `notALayer`, `layerHasChildren`, `layerUsedByImage`, `layerUsedByContainer`; `system`.
  public func delete(_ nameOrID: String, force: Bool = false) throws(StorageError) {
    try LayerDeletion(store: store, layer: nameOrID, force: force).run()
  }

  // MARK: Big data

  /// Keys of a layer's big data items, in order of first write.
  ///
  /// - Throws: `layerUnknown`.
  public func bigDataNames(of nameOrID: String) throws(StorageError) -> [String] {
    do throws(StorageError) {
      return try find(nameOrID).record.bigDataNames
    } catch  where error.code == .layerUnknown {
      throw error.wrapped("locating layer with ID \(goQuoted(nameOrID))")
    }
  }

  /// A big data item of a layer.
  ///
  /// - Throws: `layerUnknown`; `system` with the text `locating item named …` if the layer has no such item.
  public func bigData(_ key: String, of nameOrID: String) throws(StorageError) -> [UInt8] {
    try store.read([.layers]) { (access) throws(StorageError) -> [UInt8] in
      let layers = access.layers
      guard let layer = layers.find(nameOrID) else {
        throw StorageError(.layerUnknown).wrapped("locating layer with ID \(goQuoted(nameOrID))")
      }
      // A file that cannot be read is looked for in the other stores, and then told as missing.
      if let file = layers.bigDataFile(key, of: layer), let bytes = try? StoreFile.read(file) { return bytes }
      throw StorageError(
        .layerDataMissing,
        "locating item named \(goQuoted(key)) for layer with ID \(goQuoted(nameOrID)): file does not exist")
    }
  }

  /// Writes a big data item of a layer of the primary store.
  ///
  /// - Throws: `layerUnknown`, `invalidBigDataName`.
  public func setBigData(_ key: String, bytes: [UInt8], of nameOrID: String) throws(StorageError) {
    if key.isEmpty { throw bigDataNameError(StorageError(.invalidBigDataName), key) }
    try store.write([.ownLayers]) { (access) throws(StorageError) in
      let layers = access.layers
      guard let layer = layers.reading.findPrimary(nameOrID) else {
        throw StorageError(.layerUnknown).wrapped("locating layer with ID \(goQuoted(nameOrID)) to write bigdata")
      }
      try layers.setBigData(key, bytes, of: layer)
    }
  }

  // MARK: Help

  func withLayer<R>(
    _ nameOrID: String, _ body: (FoundLayer, borrowing LayersReading) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    try store.read([.layers]) { (access) throws(StorageError) -> R in
      let layers = access.layers
      guard let layer = layers.find(nameOrID) else { throw StorageError(.layerUnknown, subject: nameOrID) }
      return try body(layer, layers)
    }
  }

  private func matching(
    _ digest: String, _ what: String, _ member: (LayerRecord) -> Digest?
  ) throws(StorageError) -> [LayerInfo] {
    let wanted: Digest
    do throws(DigestError) {
      wanted = try Digest(parsing: digest)
    } catch {
      throw StorageError(.invalidDigest, "\(what) \(goQuoted(digest)): \(error)", cause: error)
    }
    let layers = try list().filter { member($0.record) == wanted }
    if layers.isEmpty { throw StorageError(.layerUnknown, subject: digest) }
    return layers
  }
}
