// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords

/// A container to be made, as its request means it.
struct ContainerDraft {
  private let store: Store
  /// What is wanted; names the image by its identifier once maps were chosen by that.
  private(set) var request: ContainerCreation
  /// The ID maps of the container.
  private(set) var maps: IDMapRequest
  /// The flags of its record.
  private let flags: RecordFlags

  /// - Throws: `invalidMappings` for maps that overlap; `usage` for one label without the other.
  init(_ request: ContainerCreation, in store: Store) throws(StorageError) {
    self.store = store
    self.request = request
    maps = request.idMaps
    if maps.usesHostUIDs { maps.maps.uids = [] }
    if maps.usesHostGIDs { maps.maps.gids = [] }
    try ContainerDraft.checkOverlaps(maps.maps)
    flags = try ContainerDraft.flags(request, isVolatile: request.isVolatile || store.topology.isTransient)
  }

  /// Whether the record may be lost in a power failure.
  var isVolatile: Bool { request.isVolatile || store.topology.isTransient }

  /// Whether nobody else may choose ID ranges until the container is recorded.
  var reservesIDs: Bool { request.automaticUserNamespace != nil || !maps.maps.isEmpty }

  /// Chooses maps, if that is wanted. Nothing is reserved but by the lock that the caller holds.
  ///
  /// - Throws: as ``AutomaticMaps/run(image:)``.
  mutating func chooseMaps() throws(StorageError) {
    guard let automatic = request.automaticUserNamespace else { return }
    maps = IDMapRequest(maps: try AutomaticMaps(store: store, request: automatic).run(image: &request.image))
  }

  /// Refuses maps with ranges that overlap on either side.
  func checkMaps() throws(StorageError) { try ContainerDraft.checkOverlaps(maps.maps) }

  /// The wanted identifier, or a random one.
  ///
  /// - Throws: `duplicateName`, `duplicateID`, `invalidIdentifier`.
  func newID(_ containers: borrowing RecordsReading<ContainerRecord>) throws(StorageError) -> ContainerID {
    for name in request.names {
      if let owner = containers.owner(ofName: name) {
        throw StorageError(.duplicateName, subject: name).wrapped(
          "the container name \(goQuoted(name)) is already in use by \(owner). You have to remove that container to be "
            + "able to reuse that name")
      }
    }
    if let text = request.id, !text.isEmpty {
      let id = try ContainerID(validating: text)
      if containers[id] != nil { throw StorageError(.duplicateID, subject: text) }
      return id
    }
    while true {
      let id = ContainerID.random()
      if containers[id] == nil { return id }
    }
  }

  /// The container's own layer, over a top layer of its image.
  ///
  /// - Parameter top: `nil` for an image without layers, and for no image.
  func layer(
    of container: ContainerID, over top: FoundLayer?, _ layers: borrowing LayersReading
  ) throws(StorageError) -> NewLayer {
    var maps = maps
    if !request.image.isEmpty, top == nil {
      // The store's own maps are for containers without image.
      if maps.maps.uids.isEmpty { maps.usesHostUIDs = true }
      if maps.maps.gids.isEmpty { maps.usesHostGIDs = true }
    }
    var layer = LayerCreation(
      id: request.layerID, parent: nil, mountLabel: flags["MountLabel"]?.string ?? "", isWritable: true, idMaps: maps,
      isVolatile: isVolatile, storageOptions: request.storageOptions)
    layer.parent = top?.id.rawValue
    layer.flags[LayerTie.key] = LayerTie(.container, container.rawValue).flag
    var new = try LayerResolution(store: store, request: layer, hasDiff: false).describe(layers, checksParent: false)
    new.avoidTaken(layers, isNamed: !(request.layerID ?? "").isEmpty)
    if isStoredMapped(over: top, layers.driver) { new.record.idMaps = self.maps.maps }
    return new
  }

  /// Whether the layers below are shifted when the container's layer is mounted, while what is written to it has the owners of
  /// the container's maps on disk (changes-1.65 1).
  private func isStoredMapped(over top: FoundLayer?, _ driver: any GraphDriver) -> Bool {
    guard !maps.maps.isEmpty, top?.record.idMaps.isEmpty != false, let shifting = driver.ownerShifting else {
      return false
    }
    return shifting.storesHostIDs && shifting.supportsShifting(maps.maps)
  }

  /// The container's record, without its big data.
  func record(_ id: ContainerID, _ new: NewLayer, image: ImageID?) -> ContainerRecord {
    var record = ContainerRecord(id: id, layer: new.record.id, image: image)
    record.names = withoutRepeats(request.names)
    record.metadata = request.metadata
    record.idMaps = maps.maps
    record.flags = flags
    return record
  }

  private static func flags(_ request: ContainerCreation, isVolatile: Bool) throws(StorageError) -> RecordFlags {
    var flags = request.flags
    let process = flags["ProcessLabel"]?.string ?? ""
    let mount = flags["MountLabel"]?.string ?? ""
    if process.isEmpty != mount.isEmpty {
      throw StorageError(.usage, "ProcessLabel and Mountlabel must either not be specified or both specified")
    }
    flags["ProcessLabel"] = .string(process)
    flags["MountLabel"] = .string(mount)
    if !request.mountOptions.isEmpty { flags["MountOpts"] = .array(request.mountOptions.map { .string($0) }) }
    if isVolatile { flags["Volatile"] = .bool(true) }
    return flags
  }

  /// Refuses maps with ranges that overlap on either side.
  private static func checkOverlaps(_ maps: IDMaps) throws(StorageError) {
    for map in [maps.uids, maps.gids] {
      var bad: [String] = []
      for (index, entry) in map.enumerated() where map[..<index].contains(where: { entry.overlaps($0) }) {
        bad.append("\(entry.containerID):\(entry.hostID):\(entry.size)")
      }
      if bad.isEmpty { continue }
      let text =
        bad.count == 1
        ? "the specified UID and/or GID mapping \(bad[0]) conflicts with other mappings"
        : "the specified UID and/or GID mappings \(bad.joined(separator: ", ")) conflict with other mappings"
      throw StorageError(.invalidMappings).wrapped(text)
    }
  }
}

extension IDMapping {
  /// Whether two ranges share an ID inside or outside.
  fileprivate func overlaps(_ other: IDMapping) -> Bool {
    func meet(_ first: Int, _ second: Int) -> Bool {
      first < second.addingReportingOverflow(other.size).partialValue
        && second < first.addingReportingOverflow(size).partialValue
    }
    return meet(containerID, other.containerID) || meet(hostID, other.hostID)
  }
}
