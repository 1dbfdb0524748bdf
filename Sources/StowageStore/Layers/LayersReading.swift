// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// The right to read layers: the primary layer lock and those of the additional stores are held, the records are fresh.
///
/// Lent by ``StoreReading`` and ``StoreWriting``; must not be kept.
struct LayersReading: ~Copyable {
  /// The layers.
  let store: LayerStore
  /// The driver as of the time the lock was taken.
  let driver: any GraphDriver
  /// The records of the primary store.
  let records: RecordsReading<LayerRecord>
  /// Records of additional stores, in configured order.
  let additional: [LayerTable]

  /// Asks the records of the primary store; inside, nothing else may be asked of them.
  func ask<R, Failure: Error>(_ body: (LayerTable) throws(Failure) -> R) throws(Failure) -> R { try records.ask(body) }

  /// A copy of all mounts.
  var mounts: MountLedger { store.mounts.ledger }

  /// Finds a layer by identifier, name or unique identifier prefix: primary store first, then additional ones.
  func find(_ nameOrID: String) -> FoundLayer? {
    if let found = findPrimary(nameOrID) { return found }
    for table in additional {
      if let id = table.resolve(nameOrID), let found = located(id, in: table) { return found }
    }
    return nil
  }

  /// Finds a layer of the primary store.
  func findPrimary(_ nameOrID: String) -> FoundLayer? {
    ask { table in table.resolve(nameOrID).flatMap { self.located($0, in: table) } }
  }

  /// Finds a layer by its exact identifier, `home` first, so that a chain stays in the store where it began, even if
  /// another store has another layer with that identifier (store-semantics 27.3.3).
  func find(_ id: LayerID, near home: LayerLocation.Role? = nil) -> FoundLayer? {
    if case .additionalImageStore(let index) = home, index < additional.count,
      let found = located(id, in: additional[index])
    {
      return found
    }
    let found = ask { table in
      let all = table.positions(of: id).compactMap { self.located($0, in: table) }
      return all.first { $0.location.role == home } ?? all.first
    }
    if let found { return found }
    for table in additional {
      if let found = located(id, in: table) { return found }
    }
    return nil
  }

  /// The layer in the primary store with exactly this identifier.
  func primary(_ id: LayerID) -> FoundLayer? { ask { self.located(id, in: $0) } }

  /// The layer of one record file, whether another one hides it or not.
  func layer(_ id: LayerID, in file: Int) -> FoundLayer? {
    ask { table in
      table.positions(of: id).first { $0.file == file }.flatMap { self.located($0, in: table) }
    }
  }

  /// The layer of one of the stores that may be written, whether another one hides it or not.
  func layer(_ id: LayerID, at role: LayerLocation.Role) -> FoundLayer? {
    ask { table in
      table.positions(of: id).compactMap { self.located($0, in: table) }.first { $0.location.role == role }
    }
  }

  /// All layers of the primary store, those included that another one of the same name hides.
  func everyLayer() -> [FoundLayer] {
    ask { table in
      table.files.indices.flatMap { file in
        table.files[file].document.records.compactMap { record in
          table.positions(of: record.id).first { $0.file == file }.flatMap { self.located($0, in: table) }
        }
      }
    }
  }

  /// The layers that are built on a layer where it is, and not on another one of its name in another place.
  func children(of layer: FoundLayer) -> [LayerID] {
    let documents = store.topology.layers.documents
    return ask { $0.children(of: layer.id) }.filter { child in
      ask { $0.positions(of: child).map { documents[$0.file].role } }.contains { role in
        find(layer.id, near: role)?.location == layer.location
      }
    }
  }

  /// All ancestors, nearest first.
  ///
  /// - Throws: `layerUnknown` if a parent is recorded nowhere; `corrupt` if a layer is its own ancestor.
  func ancestors(of layer: FoundLayer) throws(StorageError) -> [FoundLayer] {
    var chain: [FoundLayer] = []
    var seen: Set<LayerID> = [layer.id]
    var current = layer
    while let parent = current.record.parent {
      guard seen.insert(parent).inserted else {
        throw StorageError(.corrupt, "layer \(goQuoted(parent.rawValue)) is its own ancestor", subject: parent.rawValue)
      }
      guard let found = find(parent, near: current.location.role) else {
        throw StorageError(.layerUnknown, subject: parent.rawValue)
      }
      chain.append(found)
      current = found
    }
    return chain
  }

  /// The locations of its ancestors, nearest first, as far as they are recorded.
  func knownChain(of layer: FoundLayer) -> [LayerLocation] {
    var (chain, seen): ([LayerLocation], Set<LayerID>) = ([], [layer.id])
    var next = layer.record.parent.flatMap { find($0, near: layer.location.role) }
    while let found = next, seen.insert(found.id).inserted {
      chain.append(found.location)
      next = found.record.parent.flatMap { find($0, near: found.location.role) }
    }
    return chain
  }

  /// The locations of all ancestors, nearest first.
  func chain(of layer: FoundLayer) throws(StorageError) -> [LayerLocation] {
    try ancestors(of: layer).map(\.location)
  }

  /// All layers, primary store first, not de-duplicated.
  func list() -> [LayerInfo] {
    let mounts = mounts
    var layers = ask { $0.records }.map { record in
      LayerInfo(
        record: record, isReadOnly: false, mountPoint: mounts[record.id]?.path,
        mountCount: mounts[record.id]?.count ?? 0)
    }
    for table in additional { layers += table.records.map { LayerInfo(record: $0, isReadOnly: true) } }
    return layers
  }

  /// What is shown of a layer.
  func info(_ layer: FoundLayer) -> LayerInfo {
    if !layer.location.isWritable { return LayerInfo(record: layer.record, isReadOnly: true) }
    let mount = mounts[layer.id]
    return LayerInfo(record: layer.record, isReadOnly: false, mountPoint: mount?.path, mountCount: mount?.count ?? 0)
  }

  /// Where the tar-split file and the big data of a layer are, to be looked for in this order.
  private func dataDirectories(of layer: FoundLayer) -> [LayerDirectory] {
    let places = store.topology
    switch layer.location.role {
    case .graphRoot, .imageStore: return places.layers.dataSearch
    case .additionalImageStore(let index):
      return index < places.additionalLayers.count ? [places.additionalLayers[index].data] : []
    }
  }

  /// The tar-split file of a layer.
  func tarSplitFile(of layer: FoundLayer) -> FilePath? {
    inside(newest(dataDirectories(of: layer).map { $0.tarSplit(of: layer.id) }), layer)
  }

  /// The file with a big data item of a layer.
  func bigDataFile(_ key: String, of layer: FoundLayer) -> FilePath? {
    // A key without file name was never written.
    guard let name = try? bigDataFileName(for: key) else { return nil }
    return inside(newest(dataDirectories(of: layer).map { $0.item(name, of: layer.id) }), layer)
  }

  /// A file of another store, if it is in that store; a warning says so if not.
  private func inside(_ file: FilePath?, _ layer: FoundLayer) -> FilePath? {
    guard let file, !layer.location.isWritable else { return file }
    do throws(StorageError) {
      try HostFiles.requireBeneath(layer.location.root, file)
      return file
    } catch {
      Log.warning("\(error.message)")
      return nil
    }
  }

  /// The newest of the files that exist: what another program left behind when it deleted an earlier layer of that name,
  /// or did not see changed from another graph root, is older (store-semantics 27.2.6).
  private func newest(_ candidates: [FilePath]) -> FilePath? {
    var newest: (path: FilePath, time: FileTime)?
    for path in candidates {
      // What cannot be examined cannot be read either, and counts as missing.
      guard let status = try? Syscall.stat(path) else { continue }
      if newest.map({ $0.time < status.modificationTime }) ?? true { newest = (path, status.modificationTime) }
    }
    return newest?.path
  }

  private func located(_ id: LayerID, in table: LayerTable) -> FoundLayer? {
    table.position(of: id).flatMap { located($0, in: table) }
  }

  private func located(_ position: LayerTable.Position, in table: LayerTable) -> FoundLayer? {
    guard let record = table[position] else { return nil }
    return FoundLayer(record: record, location: location(of: record, in: table, file: position.file))
  }

  /// The record's home. Older versions put some layers into the other store (store-semantics 25.1); that is looked up
  /// here, once, under the lock.
  ///
  /// Never for a doomed layer, whose content is to be deleted, nor if the other store has a layer of that name with
  /// other content: that would be somebody else's.
  private func location(of record: LayerRecord, in table: LayerTable, file: Int) -> LayerLocation {
    let topology = store.topology
    let path = table.files[file].path
    let own = topology.layers.documents
    let home =
      file < own.count && own[file].path == path
      ? own[file] : topology.additionalLayers.lazy.flatMap(\.documents).first { $0.path == path }
    let location = LayerLocation(
      id: record.id, role: home?.role ?? .graphRoot, root: home?.root ?? topology.roots.graphRoot)
    if topology.roots.imageStore == nil || !location.isWritable || record.isDoomed { return location }
    // What cannot be looked at is not absent: who uses the layer meets the reason.
    let isHere = (try? driver.exists(location)) ?? true
    if isHere { return location }
    let twins = table.positions(of: record.id).compactMap { $0.file == file ? nil : table[$0] }
    guard twins.allSatisfy({ !$0.isDoomed && $0.diffDigest == record.diffDigest }) else { return location }
    for other in topology.layerHomes where other.role != location.role {
      let candidate = LayerLocation(id: record.id, role: other.role, root: other.root)
      if (try? driver.exists(candidate)) == true { return candidate }
    }
    return location
  }
}
