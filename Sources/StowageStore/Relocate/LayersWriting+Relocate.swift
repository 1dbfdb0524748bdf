// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

extension LayersWriting {
  /// Makes a copied layer appear at a second place, with the same record.
  ///
  /// It is `incomplete` until all of it is there: after a crash the next opener removes it. Which of two records with one
  /// identifier is visible follows from the load order; both show the same content.
  mutating func publish(
    _ layer: FoundLayer, at location: LayerLocation, _ staged: inout StagedLayer?
  ) throws(StorageError) {
    let places = store.topology.layers
    guard let file = places.documents.firstIndex(where: { $0.role == location.role && !$0.isVolatile }) else { return }
    var record = layer.record
    record.isIncomplete = true
    let parent = layer.record.parent.flatMap { reading.find($0, near: location.role) }
    if parent == nil, let id = layer.record.parent { throw StorageError(.layerUnknown, subject: id.rawValue) }
    var chain: [LayerLocation] = []
    if let parent { chain = [parent.location] + (try reading.chain(of: parent)) }
    store.change(self) { $0.insert(record, file: file) }
    try store.save(self)
    do throws(StorageError) {
      try driver.create(
        location, over: chain,
        LayerCreateOptions(mountLabel: record.mountLabel, idMaps: record.idMaps, isReadWrite: false),
        staged: staged.take())
      try LayerFiles.copy(of: layer.id, into: location.role == .imageStore ? places.dataSearch : [places.data], places)
      store.change(self) { table in
        let copy = FoundLayer(record: record, location: location)
        if let position = table.position(of: copy, store.topology) {
          table.update(at: position) { $0.isIncomplete = false }
        }
      }
      followMove(of: layer.id)
      try store.save(self)
    } catch {
      if let copy = reading.layer(layer.id, in: file) { try? discard(copy) }
      try? store.save(self)
      throw error
    }
  }

  /// Takes a layer away from a place when another one has it too.
  ///
  /// After a crash in between, the layer is `incomplete` and the next opener finishes the work.
  mutating func leave(_ layer: FoundLayer) throws(StorageError) {
    store.change(self) { table in
      if let position = table.position(of: layer, store.topology) {
        table.update(at: position) { $0.isIncomplete = true }
      }
    }
    try store.save(self)
    if reading.mountedUsers(of: layer).isEmpty { try unmountFully(layer) }
    try setAside(layer)
    followMove(of: layer.id)
    try store.save(self)
  }

  /// Deletes an incomplete layer; the caller saves. If mounts of this graph root use it and another place has it, too, its
  /// tree is set aside under another name until they end.
  mutating func setAside(_ layer: FoundLayer) throws(StorageError) {
    let other: LayerLocation.Role = layer.location.role == .graphRoot ? .imageStore : .graphRoot
    let users = reading.layer(layer.id, at: other) == nil ? [] : reading.mountedUsers(of: layer)
    let documents = store.topology.layers.documents
    if !users.isEmpty,
      let file = documents.firstIndex(where: { $0.role == layer.location.role && !$0.isVolatile })
    {
      let aside = LayerID.random()
      var record = LayerRecord(id: aside)
      record.flags[LayerTie.key] = try tie(toMountsOf: users, at: layer.location.role).flag
      store.change(self) { $0.append(record, file: file) }
      try store.save(self)
      guard let retiring = driver.layerRetiring else {
        throw StorageError(
          .notSupported, "\(driver.traits.name): layers are not in use by mounts", subject: layer.id.rawValue)
      }
      try retiring.retire(layer.location, as: aside)
    }
    try discard(layer)
  }

  /// Sees to it that a layer which does not leave stays while mounts of this graph root use it that the records lead elsewhere
  /// by now: until they end it has a child without content.
  mutating func hold(_ layer: FoundLayer) throws(StorageError) {
    let users = reading.mountedUsers(of: layer).filter { id in
      guard let user = reading.find(id), let chain = try? reading.chain(of: user) else { return true }
      return !chain.contains(layer.location)
    }
    if users.isEmpty { return }
    let tie = try tie(toMountsOf: users, at: layer.location.role)
    let isHeld = store.ask(reading) { table in
      table.children(of: layer.id).contains { id in table[id].flatMap { LayerTie($0.flags) } == tie }
    }
    if isHeld { return }
    var record = LayerRecord(id: .random(), parent: layer.id)
    record.flags[LayerTie.key] = tie.flag
    try pin(layer, record)
  }

  /// A tie to mounts of this graph root, which others find if the layer is in the image store.
  private func tie(toMountsOf users: [LayerID], at role: LayerLocation.Role) throws(StorageError) -> LayerTie {
    if role == .imageStore { try store.register(self) }
    return LayerTie(mountsOf: users, in: try Identity.read(store.topology.layers.identity))
  }
}

extension LayerFiles {
  /// Puts tar-split file and big data of a layer into every directory that lacks them, from one that has them.
  static func copy(
    of id: LayerID, into directories: [FilePath], _ places: StoreTopology.LayerPlaces
  ) throws(StorageError) {
    for target in directories {
      for source in places.dataSearch where source != target {
        let name = "\(id).tar-split.gz"
        if !Syscall.exists(target.appending(name)), let bytes = try? Syscall.readFile(source.appending(name)) {
          try AtomicFile.replace(target.appending(name), contents: bytes, sync: true)
        }
        for item in (try? Syscall.directoryNames(source.appending(id.rawValue))) ?? [] {
          let part = FilePath(id.rawValue).appending(FilePath(item).components)
          if Syscall.exists(target.appending(part.components)) { continue }
          guard let bytes = try? Syscall.readFile(source.appending(part.components)) else { continue }
          try AtomicFile.replace(target.appending(part.components), contents: bytes, sync: true, stagedIn: target)
        }
      }
    }
  }
}
