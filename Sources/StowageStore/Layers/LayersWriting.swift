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

  /// Saves every changed file.
  func save() throws(StorageError) { try records.save() }

  // MARK: Repair

  /// Puts right what a load has found: repeated names, layers that were being made or deleted (on-disk-format 12.5).
  ///
  /// One failure does not stop the others; all are reported after the records are saved.
  func repair(_ findings: LayerTable.Findings, in whole: Store) throws(StorageError) {
    if findings.isEmpty { return }
    StaleFiles.remove(in: store.topology.layers.writtenDirectories)
    let number = reading.ask { $0.recordCount }
    change { $0.repairNames(findings) }
    try settle(findings.unfinished, in: whole)
    var failures: [StorageError] = []
    for id in findings.unfinished {
      guard let layer = reading.primary(id), layer.record.isIncomplete else { continue }
      Log.warning("Found incomplete layer \(goQuoted(id.rawValue)), deleting it")
      do throws(StorageError) {
        try setAside(layer)
      } catch {
        failures.append(error.wrapped("deleting layer \(goQuoted(id.rawValue))"))
      }
    }
    for hidden in findings.unfinishedHidden {
      guard let layer = reading.layer(hidden.id, in: hidden.file), layer.record.isIncomplete else { continue }
      Log.warning("Found incomplete copy of layer \(goQuoted(hidden.id.rawValue)), deleting it")
      do throws(StorageError) { try setAside(layer) } catch { failures.append(error) }
    }
    // Before the records are saved: until then they show what is to be done.
    if reading.ask({ $0.recordCount }) < number { followMove() }
    try save()
    if let first = failures.first {
      throw StorageError(
        first.code, failures.map(\.message).joined(separator: "\n"), subject: first.subject, path: first.path,
        cause: first.cause)
    }
  }

  // MARK: Deleting

  /// Deletes a layer whatever depends on it (store-semantics 18.1).
  ///
  /// After a crash in between, the layer is `incomplete` and the next opener finishes the work.
  func delete(_ layer: FoundLayer) throws(StorageError) {
    try unmountFully(layer)
    if !layer.record.isIncomplete {
      change { table in
        if let position = table.position(of: layer, store.topology) {
          table.update(at: position) { $0.isIncomplete = true }
        }
      }
      try save()
    }
    try discard(layer)
    try save()
  }

  /// Moves the content of an incomplete layer into the bins and forgets its record; the caller saves.
  func discard(_ layer: FoundLayer) throws(StorageError) {
    try bins.fill { (bins) throws(StorageError) in try driver.remove(layer.location, into: &bins) }
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
    let other: LayerLocation.Role = layer.location.role == .graphRoot ? .imageStore : .graphRoot
    guard let twin = reading.layer(layer.id, at: other), let shared = places.dataSearch.dropFirst().first else {
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
      try AtomicFile.replace(data.item(name, of: layer.id), contents: bytes, sync: true, stagedIn: data.path)
    }
    if layer.record.bigDataNames.contains(where: { $0.hasSameBytes(as: key) }) { return }
    try update(layer.id) { $0.bigDataNames.append(key) }
  }
}
