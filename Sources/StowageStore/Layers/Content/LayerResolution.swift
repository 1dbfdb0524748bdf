// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords

/// Turns a request into a layer to be made: finds the parent and decides where the layer will be.
struct LayerResolution {
  let store: Store
  /// What is wanted.
  let request: LayerCreation
  /// Whether a diff will be extracted, so that what the caller vouches for counts.
  let hasDiff: Bool

  /// Resolves the request, and checks identifier and names for the first time. Locks are held shared and only here.
  ///
  /// - Throws: `layerUnknown`, `parentIsContainer`, `invalidIdentifier`, `duplicateID`, `duplicateName`; `notSupported` if
  ///   the wanted ID maps need owners to be changed in a way that is impossible.
  func run() throws(StorageError) -> NewLayer {
    try store.read([.layers]) { (access) throws(StorageError) -> NewLayer in
      let layers = access.layers
      var new = try describe(layers)
      new.avoidTaken(layers, isNamed: !(request.id ?? "").isEmpty)
      try LayersWriting.checkFree(new.record, layers)
      return new
    }
  }

  /// Turns a request into a layer to be made; `layers` must include the additional stores.
  ///
  /// - Parameters:
  ///   - checksParent: whether the parent may be a container's layer, which is refused.
  ///   - below: the parent, if it is made in the same access: what is known of it need not be found out again.
  func describe(
    _ layers: borrowing LayersReading, checksParent: Bool = true, over below: NewLayer? = nil
  ) throws(StorageError) -> NewLayer {
    let id = try LayerResolution.newID(request.id)
    var parent = try findParent(layers, checksParent && below == nil)
    if !request.isWritable, let found = parent, let twin = layers.layer(found.id, at: .imageStore) { parent = twin }
    let maps = maps(over: parent, layers.driver)
    var record = LayerRecord(id: id, parent: parent?.id, names: withoutRepeats(request.names))
    record.mountLabel = request.mountLabel
    record.metadata = request.metadata
    record.flags = request.flags
    record.idMaps = maps
    if hasDiff { record.vouch(request) }
    let document = store.topology.documentForNewLayer(
      isVolatile: request.isVolatile, isWritable: request.isWritable, over: parent?.location.role)
    let home = store.topology.layers.documents[document]
    if let pending = request.pending { record.tie = pending.tie(at: home.role) }
    var new = NewLayer(
      record: record, document: document, location: LayerLocation(id: id, role: home.role, root: home.root),
      chain: [],
      options: LayerCreateOptions(
        mountLabel: request.mountLabel, idMaps: maps, isReadWrite: request.isWritable,
        storageOptions: request.storageOptions),
      bigData: request.bigData)
    if let parent { try new.begin(with: parent, over: below?.chain, layers) }
    return new
  }

  /// The wanted identifier, or a random one.
  ///
  /// - Throws: `invalidIdentifier`, also for names that have a meaning of their own beside layers on disk: such a
  /// layer would
  ///   replace the overlay driver's links, for instance.
  static func newID(_ text: String?) throws(StorageError) -> LayerID {
    guard let text, !text.isEmpty else { return .random() }
    let id = try LayerID(validating: text)
    if StoreTopology.reservedNames.contains(text) {
      throw StorageError(
        .invalidIdentifier, "invalid layer ID \(goQuoted(text)): the name is reserved", subject: text)
    }
    return id
  }

  private func findParent(
    _ layers: borrowing LayersReading, _ checks: Bool
  ) throws(StorageError) -> FoundLayer? {
    guard let nameOrID = request.parent, !nameOrID.isEmpty else { return nil }
    guard let parent = layers.find(nameOrID) else { throw StorageError(.layerUnknown, subject: nameOrID) }
    // A container's layer is made with the container lock held; its parent is an image's layer.
    if !checks { return parent }
    let isContainers = try store.read([.containers]) { (access) throws(StorageError) -> Bool in
      access.containers.records.contains { $0.layer == parent.id }
    }
    if isContainers { throw StorageError(.parentIsContainer, subject: nameOrID) }
    return parent
  }

  /// The maps of a new layer (store-semantics 7.1); empty if the driver shifts owners when mounting.
  private func maps(over parent: FoundLayer?, _ driver: any GraphDriver) -> IDMaps {
    let (request, options) = (request.idMaps, store.options)
    let inherited = parent?.record.idMaps ?? IDMaps(uids: options.uidMap, gids: options.gidMap)
    var maps = IDMaps()
    if !request.usesHostUIDs { maps.uids = request.maps.uids.isEmpty ? inherited.uids : request.maps.uids }
    if !request.usesHostGIDs { maps.gids = request.maps.gids.isEmpty ? inherited.gids : request.maps.gids }
    if !maps.isEmpty, driver.ownerShifting?.supportsShifting(maps) == true { maps = IDMaps() }
    return maps
  }
}

extension LayerRecord {
  /// Enters what the caller vouches for; only SHA-256 counts (store-semantics 17.4).
  mutating func vouch(_ request: LayerCreation) {
    if let digest = request.originalDigest, digest.algorithm == "sha256" {
      compressedDiffDigest = digest
      compressedSize = request.originalSize ?? 0
    }
    if let digest = request.uncompressedDigest, digest.algorithm == "sha256" { diffDigest = digest }
    tocDigest = request.tocDigest
  }
}
