// SPDX-License-Identifier: Apache-2.0

package import StowageFiles
package import StowageModel
internal import SystemPackage

/// The right to read records: their lock is held, and they are fresh. Lent by ``RecordsHold``.
package struct RecordsReading<Record: NamedRecord>: ~Copyable {
  /// The store.
  package let store: RecordStore<Record>

  init(store: RecordStore<Record>) { self.store = store }

  /// Asks the records.
  package func ask<R, Failure: Error>(
    _ body: (RecordTable<Record>) throws(Failure) -> R
  ) throws(Failure) -> R { try store.ask(body) }

  /// Resolves an identifier, a name or a unique identifier prefix to a record.
  package func find(_ nameOrID: String) -> Record? { ask { table in table.resolve(nameOrID).flatMap { table[$0] } } }

  /// The record with exactly this identifier.
  package subscript(id: Record.ID) -> Record? { ask { $0[id] } }

  /// All records in load order.
  package var records: [Record] { ask { $0.records } }

  /// Who has a name.
  package func owner(ofName name: String) -> Record.ID? { ask { $0.owner(ofName: name) } }

  /// Whether the first record file is there and not torn to nothing; else the absence of a record proves nothing.
  package var isRecordFilePresent: Bool { ask { $0.files.first?.isAbsentOrEmpty == false } }
}

/// The right to change records: their lock is held exclusively. Lent by ``RecordsHold``.
package struct RecordsWriting<Record: NamedRecord>: ~Copyable {
  /// The right to read.
  package let reading: RecordsReading<Record>
  private let hold: RecordsHold<Record>

  init(reading: consuming RecordsReading<Record>, hold: RecordsHold<Record>) {
    self.reading = reading
    self.hold = hold
  }

  /// The store.
  package var store: RecordStore<Record> { reading.store }

  /// Whether data that are nobody's are to be removed: not for who only reads.
  var collects: Bool { hold.collects }

  /// Changes records in memory; ``save()`` writes them.
  package func change<R>(_ body: (inout RecordTable<Record>) -> R) -> R { store.change(body) }

  /// Saves every changed file: the write is announced in the lock files, then the files are replaced.
  ///
  /// After a failure each file is old or new, and the next acquisition looks which.
  ///
  /// - Parameter durability: at most `content`, if after a power cut the old records would lead to the same.
  package func save(_ durability: Durability = .full) throws(StorageError) { try store.save(hold, durability) }

  /// Makes the record file if there is none yet, before the first object gets data: only beside it data without record are known
  /// to be nobody's.
  package func ensureFile() throws(StorageError) {
    if reading.isRecordFilePresent { return }
    change { $0.markAsChanged(file: 0) }
    // Its name reaches the device with that of the object's directory.
    try save(.content)
  }

  /// Adds a record and saves it.
  package func append(_ record: Record, file: Int = 0) throws(StorageError) {
    change { $0.append(record, file: file) }
    try save()
  }

  /// Adds a record, taking its names away from others, in one save.
  package func appendTakingNames(_ record: Record, file: Int = 0) throws(StorageError) {
    var nameless = record
    nameless.names = []
    change { table in
      table.append(nameless, file: file)
      table.setNames(record.names, of: record.id)
    }
    try save()
  }

  /// Changes a record and saves it.
  package func update(_ id: Record.ID, _ change: (inout Record) -> Void) throws(StorageError) {
    self.change { $0.update(id, change) }
    try save()
  }

  /// Gives an object its names, changes its record further, and saves every record that lost a name.
  package func setNames(
    _ names: [String], of id: Record.ID, _ change: (inout Record) -> Void = { _ in }
  ) throws(StorageError) {
    self.change { table in
      table.setNames(names, of: id)
      table.update(id, change)
    }
    try save()
  }

  /// Takes back a record whose saving failed.
  ///
  /// - Returns: whether it is surely not on disk.
  package func withdraw(_ id: Record.ID) -> Bool {
    change { $0.remove(id) }
    do throws(StorageError) {
      try save()
      return true
    } catch {
      Log.warning("cannot take back the record of \(id), the next opener will look at it: \(error)")
      return false
    }
  }

  /// Forgets records, saves, then moves their data directories into the bin.
  ///
  /// After a crash in between directories without record are left: those of images until garbage collection is asked for.
  package func remove(_ ids: [Record.ID], into bins: inout DeferredRemoval) throws(StorageError) {
    change { table in for id in ids { table.remove(id) } }
    try save()
    for id in ids { try bins.add(store.directory.appending(FilePath(id.rawValue).components), bin: store.bin) }
  }
}
