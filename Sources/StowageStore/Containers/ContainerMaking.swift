// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

extension Store {
  /// Makes a container (store-semantics 11.1).
  ///
  /// Identifier and names are checked before anything is made (store-semantics 27.1.16). The container's layer stays
  /// `incomplete` and tied to the container until the container's record is on disk; so after a crash there is the whole
  /// container or nothing.
  func createContainer(_ request: ContainerCreation) throws(StorageError) -> ContainerRecord {
    let explicit = try containerMaps(request)
    let flags = try containerFlags(request)
    let automatic = request.automaticUserNamespace
    return try withUserNamespaces(isNeeded: automatic != nil || !explicit.maps.isEmpty) {
      () throws(StorageError) -> ContainerRecord in
      var (request, maps) = (request, explicit)
      if let automatic {
        maps = IDMapRequest(maps: try self.automaticMaps(automatic, image: &request.image))
        try self.checkOverlaps(maps.maps)
      }
      var staged: StagedContent?
      var attempts = 0
      // A copy for the image, then one for the container.
      let mostAttempts = 2 * Store.mostCopies
      while true {
        let step = try self.createContainer(request, maps, flags, &staged)
        staged.take()?.discard()
        attempts += 1
        do throws(StorageError) {
          switch step {
          case .made(let record): return record
          case .needsCopy(let copy): try self.make(copy)
          case .needsContent(let new): staged = try self.stageCopy(for: new)
          }
        } catch {
          // The image's layer may have changed while it was copied.
          guard error.code == .busy, attempts < mostAttempts else { throw error }
        }
        if attempts > mostAttempts {
          throw StorageError(.busy, "the layers of image \(goQuoted(request.image)) do not stop changing")
        }
      }
    }
  }

  /// What became of an attempt to make a container under the locks, or what is to be done first without them.
  private enum Step {
    case made(ContainerRecord)
    /// The image needs a top layer with other owners.
    case needsCopy(MappedCopy)
    /// The container's layer begins with a copy.
    case needsContent(NewLayer)
  }

  /// Makes layer and record under the locks, if all that takes long is done.
  private func createContainer(
    _ request: ContainerCreation, _ maps: IDMapRequest, _ flags: RecordFlags, _ staged: inout StagedContent?
  ) throws(StorageError) -> Step {
    try write([.layers, .containers], reading: [.images]) { (access) throws(StorageError) -> Step in
      let layers = access.layers
      let containers = access.containers
      let image = request.image.isEmpty ? nil : try access.reading.images.require(request.image)
      let id = try newID(request, containers.reading)
      let top: FoundLayer?
      switch try image.map({ (image) throws(StorageError) in try topLayer(of: image, maps, layers.reading) }) {
      case .needsCopy(let copy): return .needsCopy(copy)
      case .ready(let layer): top = layer
      case nil: top = nil
      }
      let new = try self.containerLayer(request, image, maps, id, top, flags, layers.reading)
      if new.source != staged?.source { return .needsContent(new) }
      let record = self.record(id, new, request, image?.record.id, maps, flags)
      return .made(try self.commit(record, request, new, &staged, layers, containers))
    }
  }

  func record(
    _ id: ContainerID, _ new: NewLayer, _ request: ContainerCreation, _ image: ImageID?, _ maps: IDMapRequest,
    _ flags: RecordFlags
  ) -> ContainerRecord {
    var record = ContainerRecord(id: id, layer: new.record.id, image: image)
    record.names = withoutRepeats(request.names)
    record.metadata = request.metadata
    record.idMaps = maps.maps
    record.flags = flags
    return record
  }

  private func commit(
    _ container: ContainerRecord, _ request: ContainerCreation, _ new: NewLayer, _ staged: inout StagedContent?,
    _ layers: borrowing LayersWriting, _ containers: borrowing RecordsWriting<ContainerRecord>
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

  func newID(
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

  func containerLayer(
    _ request: ContainerCreation, _ image: ImagesView.Found?, _ maps: IDMapRequest, _ container: ContainerID,
    _ top: FoundLayer?, _ flags: RecordFlags, _ layers: borrowing LayersReading
  ) throws(StorageError) -> NewLayer {
    var maps = maps
    if image != nil, top == nil {
      // The store's own maps are for containers without image.
      if maps.maps.uids.isEmpty { maps.usesHostUIDs = true }
      if maps.maps.gids.isEmpty { maps.usesHostGIDs = true }
    }
    var layer = LayerCreation(
      id: request.layerID, parent: nil, mountLabel: flags["MountLabel"]?.string ?? "", isWritable: true, idMaps: maps,
      isVolatile: isVolatile(request), storageOptions: request.storageOptions)
    layer.parent = top?.id.rawValue
    layer.flags[LayerTie.key] = LayerTie(.container, container.rawValue).flag
    var new = try describe(layer, hasDiff: false, layers, checksParent: false)
    while (request.layerID ?? "").isEmpty, layers.primary(new.record.id) != nil { new.rename(.random()) }
    return new
  }

  func containerFlags(_ request: ContainerCreation) throws(StorageError) -> RecordFlags {
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

  /// The maps that a request means.
  func containerMaps(_ request: ContainerCreation) throws(StorageError) -> IDMapRequest {
    var maps = request.idMaps
    if maps.usesHostUIDs { maps.maps.uids = [] }
    if maps.usesHostGIDs { maps.maps.gids = [] }
    try checkOverlaps(maps.maps)
    return maps
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
