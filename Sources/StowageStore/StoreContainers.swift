// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import SystemPackage

extension Store {
  /// Makes a container (store-semantics 11.1).
  ///
  /// Identifier and names are checked before anything is made (27.1.16). The container's layer stays `incomplete` and
  /// tied to
  /// the container until the container's record is on disk; so after a crash there is the whole container or nothing.
  func createContainer(_ request: ContainerCreation) throws(StorageError) -> ContainerRecord {
    var maps = request.idMaps
    if maps.usesHostUIDs { maps.maps.uids = [] }
    if maps.usesHostGIDs { maps.maps.gids = [] }
    try checkOverlaps(maps.maps)
    let flags = try containerFlags(request)
    var attempts = 0
    while true {
      attempts += 1
      do throws(StorageError) {
        var staged = try stageCopy(request, maps, flags)
        return try createContainer(request, maps, flags, &staged)
      } catch {
        // The image's layer changed while it was copied.
        guard error.code == .busy, attempts < Store.mostCopies else { throw error }
      }
    }
  }

  /// Copies the image's layer without a lock, if the driver's layers are copies.
  private func stageCopy(
    _ request: ContainerCreation, _ maps: IDMapRequest, _ flags: RecordFlags
  ) throws(StorageError) -> StagedContent? {
    guard try drivers.current().traits.copiesParent else { return nil }
    let new = try withLayers { (layers) throws(StorageError) -> NewLayer in
      try self.withImages { (view) throws(StorageError) -> NewLayer in
        try self.containerStore.withReading { (containers) throws(StorageError) -> NewLayer in
          try self.plan(request, maps, flags, layers, view, containers).layer
        }
      }
    }
    return try stageCopy(for: new)
  }

  /// Makes layer and record under the locks.
  private func createContainer(
    _ request: ContainerCreation, _ maps: IDMapRequest, _ flags: RecordFlags, _ staged: inout StagedContent?
  ) throws(StorageError) -> ContainerRecord {
    try withLayersWriting(additional: true) {
      (layers: inout LayersWriting) throws(StorageError) -> ContainerRecord in
      try self.withImages { (view) throws(StorageError) -> ContainerRecord in
        try self.containerStore.withWriting {
          (containers: inout RecordsWriting<ContainerRecord>) throws(StorageError) -> ContainerRecord in
          let plan = try self.plan(request, maps, flags, layers.reading, view, containers.reading)
          if staged != nil { try plan.layer.checkSource(staged?.source) }
          return try self.commit(plan.record, request, plan.layer, &staged, &layers, containers)
        }
      }
    }
  }

  /// Decides what a container and its layer will be. Only a plan made under the lock that is still held counts.
  private func plan(
    _ request: ContainerCreation, _ maps: IDMapRequest, _ flags: RecordFlags, _ layers: borrowing LayersReading,
    _ view: ImagesView, _ containers: borrowing RecordsReading<ContainerRecord>
  ) throws(StorageError) -> (record: ContainerRecord, layer: NewLayer) {
    let image = request.image.isEmpty ? nil : try view.require(request.image).record
    var top: FoundLayer?
    if let image { top = try topLayer(of: image, maps, layers) }
    let id = try newID(request, containers)
    let new = try containerLayer(request, maps, id, top, flags, layers)
    var record = ContainerRecord(id: id, layer: new.record.id, image: image?.id)
    record.names = withoutRepeats(request.names)
    record.metadata = request.metadata
    record.idMaps = maps.maps
    record.flags = flags
    return (record, new)
  }

  private func commit(
    _ container: ContainerRecord, _ request: ContainerCreation, _ new: NewLayer, _ staged: inout StagedContent?,
    _ layers: inout LayersWriting, _ containers: borrowing RecordsWriting<ContainerRecord>
  ) throws(StorageError) -> ContainerRecord {
    var record = container
    _ = try layers.create(new, staged: &staged, completing: false)
    let directory = containers.store.directory
    do throws(StorageError) {
      for item in request.bigData {
        let id = record.id.rawValue
        try BigDataFiles.write(item.bytes, item.key, of: id, in: directory, kind: "container")
        record.enter(item.key, size: item.bytes.count, digest: BigDataFiles.digest(of: item.bytes))
      }
      try containers.append(record, file: isVolatile(request) ? 1 : 0)
    } catch {
      // The save may have replaced the file before it failed. Only if the record is surely gone may the layer go; else
      // the
      // next opener settles it.
      if containers.withdraw(record.id) {
        layers.abandon(new, context: error)
        try? removeTree(directory.appending(record.id.rawValue))
      }
      throw error
    }
    try layers.complete(new.record.id)
    return record
  }

  private func isVolatile(_ request: ContainerCreation) -> Bool { request.isVolatile || topology.isTransient }

  private func newID(
    _ request: ContainerCreation, _ containers: borrowing RecordsReading<ContainerRecord>
  ) throws(StorageError) -> ContainerID {
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

  /// The layer a container starts from (store-semantics 11.2); `nil` for an image without layers.
  private func topLayer(
    of image: ImageRecord, _ maps: IDMapRequest, _ layers: borrowing LayersReading
  ) throws(StorageError) -> FoundLayer? {
    guard let top = image.layer else { return nil }
    var first: FoundLayer?
    for id in [top] + image.mappedLayers {
      guard let layer = layers.find(id) else { continue }
      if isMatch(layer, maps, layers.driver) { return layer }
      first = first ?? layer
    }
    guard let first else { throw StorageError(.layerUnknown, subject: top.rawValue) }
    throw StorageError(
      .notSupported,
      "no layer of image \(goQuoted(image.id.rawValue)) has the wanted ID maps: copies with changed owners are not "
        + "supported yet", subject: first.id.rawValue)
  }

  private func isMatch(_ layer: FoundLayer, _ maps: IDMapRequest, _ driver: any GraphDriver) -> Bool {
    let own = layer.record.idMaps
    let isAsked = maps.usesHostUIDs || maps.usesHostGIDs || !maps.maps.isEmpty
    // Without a wish the container takes the maps of the layer.
    if !isAsked { return true }
    if own.isEmpty, driver.supportsShifting(maps.maps) { return true }
    return own == maps.maps
  }

  private func containerLayer(
    _ request: ContainerCreation, _ maps: IDMapRequest, _ container: ContainerID, _ top: FoundLayer?,
    _ flags: RecordFlags, _ layers: borrowing LayersReading
  ) throws(StorageError) -> NewLayer {
    var layer = LayerCreation(
      id: request.layerID, parent: nil, mountLabel: flags["MountLabel"]?.string ?? "", isWritable: true, idMaps: maps,
      isVolatile: isVolatile(request), storageOptions: request.storageOptions)
    layer.parent = top?.id.rawValue
    layer.flags[LayerTie.key] = LayerTie(.container, container.rawValue).flag
    var new = try describe(layer, hasDiff: false, layers, checksParent: false)
    while (request.layerID ?? "").isEmpty, layers.primary(new.record.id) != nil { new.rename(.random()) }
    return new
  }

  private func containerFlags(_ request: ContainerCreation) throws(StorageError) -> RecordFlags {
    var flags = request.flags
    let process = flags["ProcessLabel"]?.string ?? ""
    let mount = flags["MountLabel"]?.string ?? ""
    if process.isEmpty != mount.isEmpty {
      throw StorageError(.usage, "ProcessLabel and Mountlabel must either not be specified or both specified")
    }
    flags["ProcessLabel"] = .string(process)
    flags["MountLabel"] = .string(mount)
    if !request.mountOptions.isEmpty { flags["MountOpts"] = .array(request.mountOptions.map { .string($0) }) }
    if isVolatile(request) { flags["Volatile"] = .bool(true) }
    return flags
  }

  /// Refuses maps with ranges that overlap on either side.
  private func checkOverlaps(_ maps: IDMaps) throws(StorageError) {
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
