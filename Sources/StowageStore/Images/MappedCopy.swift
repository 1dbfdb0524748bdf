// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// A copy of an image's top layer with other owners, to be made.
struct MappedCopy: Sendable {
  /// The image that is to list it.
  let image: ImagesView.Found
  /// The maps that are wanted.
  let maps: IDMapRequest
  /// The layer to be; its basis is the layer to copy.
  let new: NewLayer

  /// Adds the reference's words to a failure.
  func failure(_ error: StorageError) -> StorageError {
    error.code == .busy
      ? error : error.wrapped("creating an ID-mapped copy of layer \(goQuoted(new.basis?.id.rawValue ?? ""))")
  }
}

/// The layer to build on for the wanted maps.
enum TopLayer {
  /// It is there; `nil` for an image without layers. Its maps may be others than wanted.
  case ready(FoundLayer?)
  /// It must be made.
  case needsCopy(MappedCopy)
}

/// Chooses among an image's top layer and its mapped copies (store-semantics 11.2).
struct TopLayerChoice {
  let store: Store
  let image: ImagesView.Found
  /// The maps that are wanted.
  let maps: IDMapRequest

  /// Chooses as of now.
  ///
  /// - Throws: `layerUnknown` if the image has none of the layers that it lists.
  func run(_ layers: borrowing LayersReading) throws(StorageError) -> TopLayer {
    guard let top = image.record.layer else { return .ready(nil) }
    // A layer of the store that has the image is preferred to others with the same identifier.
    let home = store.topology.role(ofImageStore: image.store)
    let candidates = ([top] + image.record.mappedLayers).compactMap { layers.find($0, near: home) }
    var first: FoundLayer?
    for layer in candidates.filter(\.location.isWritable) + candidates.filter({ !$0.location.isWritable }) {
      if let parent = layer.record.parent, layers.find(parent, near: layer.location.role) == nil { continue }
      // A copy that has lost its tree is made again.
      if layer.id != top, try !layers.driver.exists(layer.location) { continue }
      if maps.fit(layer, layers.driver) { return .ready(layer) }
      first = first ?? layer
    }
    guard let first else { throw StorageError(.layerUnknown, subject: top.rawValue) }
    // What others own gets no further layers; the container's own layer will have other owners than its parent.
    guard image.store == 0, first.location.isWritable else { return .ready(first) }
    return .needsCopy(MappedCopy(image: image, maps: maps, new: try copy(of: first, layers)))
  }

  private func copy(
    of template: FoundLayer, _ layers: borrowing LayersReading
  ) throws(StorageError) -> NewLayer {
    // What is not given is not inherited: a copy of a mapped layer without maps is what a container without maps needs.
    var wanted = maps
    if maps.maps.uids.isEmpty { wanted.usesHostUIDs = true }
    if maps.maps.gids.isEmpty { wanted.usesHostGIDs = true }
    let request = LayerCreation(mountLabel: template.record.mountLabel, idMaps: wanted)
    var new = try LayerResolution(store: store, request: request, hasDiff: false).describe(layers)
    let own = new.record
    new.record = template.record.copy(as: own.id)
    new.record.idMaps = own.idMaps
    new.record.tie = LayerTie(.mapping, image.record.id.rawValue)
    new.options.isCopy = true
    new.templateTarSplit = layers.tarSplitFile(of: template)
    try new.begin(with: template, layers)
    return new
  }
}

extension MappedCopy {
  /// Makes the copy and lists it with its image; then the caller chooses again. The files are copied without a lock. If the
  /// image got such a layer meanwhile, or is gone, nothing is made.
  ///
  /// The layer stays tied to the image until the image lists it, so a crash leaves both or none.
  ///
  /// - Throws: `busy` if the layer changed while it was copied; `layerUnknown`, `invalidMappings`, `system`.
  func make(in store: Store) throws(StorageError) {
    var staged: StagedContent?
    do throws(StorageError) { staged = try ContentStaging.copy(for: new, in: store) } catch { throw failure(error) }
    try commit(&staged, in: store)
  }

  private func commit(_ staged: inout StagedContent?, in store: Store) throws(StorageError) {
    try store.write([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      try new.recheckBasis(layers.reading)
      try store.write([.images]) { (access) throws(StorageError) in
        let all = access.images
        // Somebody else may have made the copy, or changed or deleted the image.
        guard let found = all.view.find(image.record.id.rawValue), found.store == 0,
          found.record.id == image.record.id,
          case .needsCopy(let now) = try TopLayerChoice(store: store, image: found, maps: maps).run(layers.reading),
          now.new.basis?.id == new.basis?.id
        else { return }
        do throws(StorageError) {
          _ = try layers.create(new, staged: &staged, keepsTie: true)
        } catch {
          throw failure(error)
        }
        do throws(StorageError) {
          try all.at(0).update(image.record.id) { $0.mappedLayers.append(new.record.id) }
        } catch {
          // The file may have been replaced all the same; the next opener looks whether the image lists the layer.
          throw error.wrapped("registering ID-mapped layer with image \(goQuoted(image.record.id.rawValue))")
        }
      }
      if layers.reading.primary(new.record.id) != nil { try layers.untie(new.record.id) }
    }
  }
}

extension IDMapRequest {
  /// Whether a layer can be built on as it is.
  fileprivate func fit(_ layer: FoundLayer, _ driver: any GraphDriver) -> Bool {
    let own = layer.record.idMaps
    if own.isEmpty, driver.ownerShifting?.supportsShifting(maps) == true { return true }
    return own == maps
  }
}

extension LayerRecord {
  /// The record of a copy of the layer (store-semantics 7.2): content, parent and what is known of the content.
  fileprivate func copy(as id: LayerID) -> LayerRecord {
    var copy = LayerRecord(id: id, parent: parent)
    copy.mountLabel = mountLabel
    copy.metadata = metadata
    copy.tocDigest = tocDigest
    copy.compressedDiffDigest = compressedDiffDigest
    copy.compressedSize = compressedSize
    copy.diffDigest = diffDigest
    copy.diffSize = diffSize
    copy.compressionCode = compressionCode
    copy.uidSet = uidSet
    copy.gidSet = gidSet
    return copy
  }
}
