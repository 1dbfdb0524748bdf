// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// The right to change layers of the primary store: its locks are held exclusively, the records are fresh.
///
/// Lent by ``StoreWriting``. What is put into ``bins`` is deleted when the locks are released.
struct LayersWriting: ~Copyable {
  /// The right to read.
  let reading: LayersReading
  /// The right to change the records of the primary store.
  let records: RecordsWriting<LayerRecord>
  /// Trees to delete later.
  let bins: RemovalBins

  /// The layers.
  var store: LayerStore { reading.store }
  /// The driver.
  var driver: any GraphDriver { reading.driver }

  /// Changes records in memory; ``save()`` writes them. Inside, nothing else may be asked of them.
  func change<R>(_ body: (inout LayerTable) -> R) -> R { records.change(body) }

  /// Saves every changed file. What was moved into the bins is surely gone before; see
  /// ``RecordsWriting/save(_:)``.
  func save(_ durability: Durability = .full) throws(StorageError) {
    for file in reading.ask({ $0.files }) where file.isDirty && file.isAbsentOrEmpty {
      try store.topology.refuseWriting(file.path, driver)
    }
    try bins.flush()
    try records.save(durability)
  }

  // MARK: Repair

  /// Puts right what a load has found: repeated names, layers that were being made or deleted (on-disk-format 12.5).
  ///
  /// One failure does not stop the others; all are reported after the records are saved.
  func repair(_ findings: LayerTable.Findings, in whole: Store) throws(StorageError) {
    if findings.isEmpty { return }
    StaleFiles.remove(in: store.topology.layers.writtenDirectories)
    let number = reading.ask { $0.recordCount }
    change { $0.repairNames(findings) }
    try TieSettlement(store: whole).run(findings.unfinished, self)
    var failures: [StorageError] = []
    for id in findings.unfinished {
      guard let layer = reading.primary(id), isToGo(layer) else { continue }
      Log.warning("Found incomplete layer \(goQuoted(id.rawValue)), deleting it")
      do throws(StorageError) {
        try setAside(layer)
      } catch {
        if store.tolerate(error, of: id) { continue }
        failures.append(error.wrapped("deleting layer \(goQuoted(id.rawValue))"))
      }
    }
    for hidden in findings.unfinishedHidden {
      guard let layer = reading.layer(hidden.id, in: hidden.file), isToGo(layer) else { continue }
      Log.warning("Found incomplete copy of layer \(goQuoted(hidden.id.rawValue)), deleting it")
      do throws(StorageError) { try setAside(layer) } catch {
        if !store.tolerate(error, of: hidden.id) { failures.append(error) }
      }
    }
    // Before the records are saved: until then they show what is to be done.
    if reading.ask({ $0.recordCount }) < number { followMove() }
    try save()
    if let first = failures.first { throw first.joined(with: failures.dropFirst()) }
  }

  /// Whether a layer is one that nobody ends any more. A copy whose other one is not whole becomes the layer itself.
  private func isToGo(_ layer: FoundLayer) -> Bool {
    if layer.record.isIncomplete || !layer.record.isPassing { return layer.record.isIncomplete }
    if reading.layer(layer.id, at: layer.otherPlace)?.record.isDoomed == false { return true }
    change { table in
      guard let position = table.position(of: layer, store.topology) else { return }
      table.update(at: position) { $0.tie = nil }
    }
    return false
  }

  // MARK: Deleting

  /// Deletes a layer whatever depends on it (store-semantics 18.1).
  func delete(_ layer: FoundLayer) throws(StorageError) { try delete([layer]) }

  /// Deletes layers whatever depends on them; layers that are gone already are fine. See ``delete(_:areTied:)``.
  func delete(_ ids: [LayerID], areTied: Bool = false) throws(StorageError) {
    try delete(ids.compactMap { reading.primary($0) }, areTied: areTied)
  }

  /// Deletes layers whatever depends on them; one failure does not stop the others (store-semantics 27.1.7).
  ///
  /// However many they are, the records are written twice: they are `incomplete` before anything of them goes, so that
  /// after a crash the next opener finishes the work. Those that are tied to a record which is gone need no such mark.
  func delete(_ layers: [FoundLayer], areTied: Bool = false) throws(StorageError) {
    var failures: [StorageError] = []
    var doomed: [FoundLayer] = []
    for layer in layers {
      do throws(StorageError) {
        try unmountFully(layer)
        doomed.append(layer)
      } catch { failures.append(error) }
    }
    if !areTied, doomed.contains(where: { !$0.record.isIncomplete }) {
      change { table in
        for layer in doomed {
          guard let position = table.position(of: layer, store.topology) else { continue }
          table.update(at: position) { $0.isIncomplete = true }
        }
      }
      try save()
    }
    for layer in doomed { do throws(StorageError) { try discard(layer) } catch { failures.append(error) } }
    // If that is lost the old records lead to the same.
    try save(.content)
    if let first = failures.first { throw first.joined(with: failures.dropFirst()) }
  }

  /// Moves the content of an incomplete layer into the bins and forgets its record; the caller saves.
  func discard(_ layer: FoundLayer) throws(StorageError) {
    do throws(StorageError) {
      try bins.fill { (bins) throws(StorageError) in try driver.remove(layer.location, into: &bins) }
    } catch {
      throw error.isStuck ? error.withWayOut(driver.directory(of: layer.location)) : error
    }
    for data in dataToDelete(with: layer) {
      try bins.add(data.tarSplit(of: layer.id), bin: data.temporary)
      try bins.add(data.items(of: layer.id), bin: data.temporary)
    }
    change { table in
      if let position = table.position(of: layer, store.topology) { table.remove(at: position) }
    }
  }

  /// Directories whose files of a layer go with it. What a layer of the same name in the other store needs stays: that of
  /// the image store reads, and other programs read only, the files in the graph root.
  private func dataToDelete(with layer: FoundLayer) -> [LayerDirectory] {
    let places = store.topology.layers
    guard let twin = reading.layer(layer.id, at: layer.otherPlace), let shared = places.dataSearch.dropFirst().first
    else {
      return places.dataSearch
    }
    if layer.location.role == .imageStore { return [shared] }
    let isSame = twin.record.diffDigest == layer.record.diffDigest
    return !isSame && Syscall.exists(shared.tarSplit(of: layer.id)) ? [places.data] : []
  }

  // MARK: Records

  /// Changes a record and saves it.
  func update(_ id: LayerID, _ change: (inout LayerRecord) -> Void) throws(StorageError) {
    self.change { $0.update(id, change) }
    try save()
  }

  /// Gives a layer its names and saves every record that lost one.
  func setNames(_ names: [String], of id: LayerID) throws(StorageError) {
    change { $0.setNames(names, of: id) }
    try save()
  }

  /// Writes a big data item of a layer; a new key is recorded.
  func setBigData(_ key: String, _ bytes: [UInt8], of layer: FoundLayer) throws(StorageError) {
    let name = try bigDataFileName(for: key)
    for data in store.topology.layers.dataDirectories(of: layer.location) {
      try AtomicFile.replace(data.item(name, of: layer.id), contents: bytes, durability: .full, stagedIn: data.path)
    }
    if layer.record.bigDataNames.contains(where: { $0.hasSameBytes(as: key) }) { return }
    try update(layer.id) { $0.bigDataNames.append(key) }
  }
}
