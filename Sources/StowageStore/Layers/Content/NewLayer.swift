// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// A layer to be made, with everything that was resolved from the request.
struct NewLayer: Sendable {
  /// The record to be, without flag `incomplete` and without content.
  var record: LayerRecord
  /// Index of the record file.
  var document: Int
  /// Where the tree will be.
  var location: LayerLocation
  /// The record, as it was when the request was resolved, of the layer whose content the new one begins with: the parent or,
  /// for a copy, the template.
  var basis: FoundLayer?
  /// Locations of the basis and of all its ancestors, nearest first.
  var chain: [LayerLocation]
  /// The state of the layer whose content the new one begins with, if it begins as a copy.
  var source: LayerState?
  /// The tar-split file that a copy takes over, if its template has one.
  var templateTarSplit: FilePath?
  /// What the driver is told.
  var options: LayerCreateOptions
  /// Big data items.
  var bigData: [BigDataItem]
}

extension NewLayer {
  /// Adds the reference's words to an error of the driver.
  func failure(_ error: StorageError) -> StorageError {
    let id = goQuoted(record.id.rawValue)
    if options.isCopy {
      return error.wrapped("creating copy of template layer \(goQuoted(basis?.id.rawValue ?? "")) with ID \(id)")
    }
    let kind = options.isReadWrite ? "read-write" : "read-only"
    return error.wrapped("creating \(kind) layer with ID \(id)")
  }
}

extension NewLayer {
  /// Makes the layer begin with the content of another one. If that has other owners on disk they are to be changed.
  ///
  /// - Parameter known: the locations of all ancestors of that one, if they are known.
  mutating func begin(
    with basis: FoundLayer, over known: [LayerLocation]? = nil, _ layers: borrowing LayersReading
  ) throws(StorageError) {
    self.basis = basis
    if let known { chain = [basis.location] + known } else { chain = [basis.location] + (try layers.chain(of: basis)) }
    if basis.record.idMaps != record.idMaps {
      options.shift = try OwnerShift(from: basis.record.idMaps, to: record.idMaps)
    }
    if layers.driver.traits.copiesParent || options.isCopy || options.shift != nil {
      source = LayerState(of: basis, layers)
    }
  }

  /// Gives the layer another identifier while it has a random one that is taken.
  mutating func avoidTaken(_ layers: borrowing LayersReading, isNamed: Bool) {
    while !isNamed, layers.primary(record.id) != nil { rename(.random()) }
  }

  /// Gives the layer another identifier.
  private mutating func rename(_ id: LayerID) {
    record.id = id
    location = LayerLocation(id: id, role: location.role, root: location.root)
  }

  /// Makes sure the basis is still what it was when the layer was resolved; needs a lock.
  ///
  /// - Throws: `layerUnknown` if it is gone, `busy` if it is another one now.
  func recheckBasis(_ layers: borrowing LayersReading) throws(StorageError) {
    guard let basis else { return }
    guard let now = layers.find(basis.id, near: basis.location.role), now.location == basis.location else {
      throw StorageError(.layerUnknown, subject: basis.id.rawValue)
    }
    if now.record.idMaps != basis.record.idMaps { throw basisChanged("changed id mappings") }
    if let source, LayerState(of: now, layers) != source { throw basisChanged("changed") }
  }

  /// Makes sure content was staged over what the layer's basis is now; `staged` is what it was staged over.
  ///
  /// - Throws: `busy`.
  func checkSource(_ staged: LayerState?) throws(StorageError) {
    if staged != source { throw basisChanged("changed") }
  }

  func basisChanged(_ what: String) -> StorageError {
    StorageError(
      .busy,
      "error during staged layer apply, parent layer \(goQuoted(basis?.id.rawValue ?? "")) \(what) while the content was "
        + "extracted, must retry layer creation", subject: basis?.id.rawValue)
  }

  /// Makes the layer under the exclusive lock. Whatever happened while no lock was held is found out here.
  ///
  /// - Throws: `busy` if the parent is not what the content was staged over.
  func commit(_ staged: inout StagedContent?, in store: Store) throws(StorageError) -> LayerInfo {
    try store.write([.layers]) { (access) throws(StorageError) -> LayerInfo in
      let layers = access.layers
      try recheckBasis(layers.reading)
      if staged != nil { try checkSource(staged?.source) }
      let record = try layers.create(self, staged: &staged)
      return layers.reading.info(FoundLayer(record: record, location: location))
    }
  }
}
