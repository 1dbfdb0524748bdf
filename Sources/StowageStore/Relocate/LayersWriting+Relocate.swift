// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

extension LayersWriting {
  /// Makes a copied layer appear at a second place, with the same record.
  ///
  /// It is tied until all of it is there: after a crash the next opener removes it. Which of two records with one identifier is
  /// visible follows from the load order; both show the same content.
  func publish(
    _ layer: FoundLayer, at location: LayerLocation, _ staged: inout StagedLayer?
  ) throws(StorageError) {
    let places = store.topology.layers
    guard let file = places.documents.firstIndex(where: { $0.role == location.role && !$0.isVolatile }) else { return }
    var record = layer.record
    record.tie = LayerTie(.relocation, layer.id.rawValue)
    let parent = layer.record.parent.flatMap { reading.find($0, near: location.role) }
    if parent == nil, let id = layer.record.parent { throw StorageError(.layerUnknown, subject: id.rawValue) }
    var chain: [LayerLocation] = []
    if let parent { chain = [parent.location] + (try reading.chain(of: parent)) }
    try store.topology.refuseClearingTree(location, driver)
    change { table in
      // The target may have a record already whose tree is lost.
      if let known = table.positions(of: record.id).first(where: { $0.file == file }) {
        table.update(at: known) { $0 = record }
      } else {
        table.append(record, file: file)
      }
    }
    try save()
    do throws(StorageError) {
      try driver.create(
        location, over: chain,
        LayerCreateOptions(mountLabel: record.mountLabel, idMaps: record.idMaps, isReadWrite: false),
        staged: staged.take())
      try driver.flushNames(of: [location])
      try LayerFiles.copy(of: layer.id, into: location.role == .imageStore ? places.dataSearch : [places.data], places)
      change { table in
        let copy = FoundLayer(record: record, location: location)
        if let position = table.position(of: copy, store.topology) {
          table.update(at: position) { $0.tie = layer.record.tie }
        }
      }
      followMove(of: layer.id)
      try save()
    } catch {
      // The error that led here is thrown; the tie makes the next opener try again.
      withdraw(layer.id, in: file)
      throw error
    }
  }

  /// Takes a copy back that could not be made whole.
  private func withdraw(_ id: LayerID, in file: Int) {
    func attempt(_ body: () throws(StorageError) -> Void) {
      do throws(StorageError) { try body() } catch {
        Log.warning("layer \(id): its unfinished copy is removed when the store is opened next: \(error)")
      }
    }
    if let copy = reading.layer(id, in: file) { attempt { () throws(StorageError) in try discard(copy) } }
    attempt { () throws(StorageError) in try save() }
  }

  /// Takes a layer away from a place when another one has it too.
  ///
  /// After a crash in between, the layer is tied and the next opener finishes the work.
  func leave(_ layer: FoundLayer) throws(StorageError) {
    change { table in
      if let position = table.position(of: layer, store.topology) {
        table.update(at: position) { $0.tie = LayerTie(.relocation, layer.id.rawValue) }
      }
    }
    try save()
    if reading.mountedUsers(of: layer).isEmpty { try unmountFully(layer) }
    try setAside(layer)
    followMove(of: layer.id)
    // If that is lost, the next opener does it again.
    try save(.content)
  }

  /// Deletes a doomed layer; the caller saves. If mounts of this graph root use it and another place has it, too, its
  /// tree is set aside under another name until they end.
  func setAside(_ layer: FoundLayer) throws(StorageError) {
    let users = reading.layer(layer.id, at: layer.otherPlace) == nil ? [] : reading.mountedUsers(of: layer)
    let documents = store.topology.layers.documents
    if !users.isEmpty,
      let file = documents.firstIndex(where: { $0.role == layer.location.role && !$0.isVolatile })
    {
      let aside = LayerID.random()
      var record = LayerRecord(id: aside)
      record.tie = try tie(toMountsOf: users, at: layer.location.role)
      change { $0.append(record, file: file) }
      try save()
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
  func hold(_ layer: FoundLayer) throws(StorageError) {
    let users = reading.mountedUsers(of: layer).filter { id in
      guard let user = reading.find(id), let chain = try? reading.chain(of: user) else { return true }
      return !chain.contains(layer.location)
    }
    if users.isEmpty { return }
    let tie = try tie(toMountsOf: users, at: layer.location.role)
    let isHeld = reading.ask { table in
      table.children(of: layer.id).contains { id in table[id].flatMap { $0.tie } == tie }
    }
    if isHeld { return }
    var record = LayerRecord(id: .random(), parent: layer.id)
    record.tie = tie
    try pin(layer, record)
  }

  /// A tie to mounts of this graph root, which others find if the layer is in the image store.
  private func tie(toMountsOf users: [LayerID], at role: LayerLocation.Role) throws(StorageError) -> LayerTie {
    if role == .imageStore { try store.register(self) }
    return LayerTie(mountsOf: users, in: try Identity.read(store.topology.layers.data.identity))
  }
}

extension LayerFiles {
  /// Puts tar-split file and big data of a layer into every directory that lacks them, from one that has them.
  static func copy(
    of id: LayerID, into directories: [LayerDirectory], _ places: StoreTopology.LayerPlaces
  ) throws(StorageError) {
    for target in directories {
      for source in places.dataSearch where source != target {
        let file = target.tarSplit(of: id)
        if try !HostFiles.exists(file), let bytes = try content(source.tarSplit(of: id)) {
          try AtomicFile.replace(file, contents: bytes, durability: .full)
        }
        // A layer without items has no directory.
        for item in try HostFiles.entries(source.items(of: id)) ?? [] {
          let file = target.items(of: id).appending(item.name)
          if try HostFiles.exists(file) { continue }
          guard let bytes = try content(source.items(of: id).appending(item.name)) else { continue }
          try AtomicFile.replace(file, contents: bytes, durability: .full, stagedIn: target.path)
        }
      }
    }
  }

  /// The content of a file; `nil` if there is none, as then the next directory may have one.
  private static func content(_ file: FilePath) throws(StorageError) -> [UInt8]? {
    do throws(StorageError) { return try StoreFile.read(file) } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
  }
}
