// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import Synchronization
internal import SystemPackage

/// The records of images or of containers: files, their lock, and a table in memory that is reloaded when it is stale.
///
/// Nothing is readable or changeable without a token that only ``withReading(_:)`` and ``withWriting(_:)`` lend.
/// Source: on-disk-format 8–10.
final class RecordStore<Record: NamedRecord & BigDataRecord>: Sendable {
  /// Directory of the objects' own directories, which have the big data.
  let directory: FilePath
  /// Whether records may be changed here.
  let isWritable: Bool
  /// Where directories of removed objects wait for their deletion.
  let bin: FilePath
  /// Whether data directories without record are removed when they are met after a crash.
  private let removesOrphans: Bool
  private let filePaths: [FilePath]
  /// Its lock.
  let locks: LockGroup
  private let state: Mutex<State>

  private struct State: Sendable {
    /// Whether the directories were searched for what a dead writer left; once per store object.
    var hasScanned = false
    var table: RecordTable<Record>
    var tokens: [LastWrite]?
  }

  /// Makes the directory and the lock files where that is possible; loads nothing.
  init(
    directory: FilePath, files: [RecordFile<Record>], locks paths: [FilePath], ranks: [LockRank], isWritable: Bool,
    bin: FilePath, removesOrphans: Bool, timeout: Duration?
  ) throws(StorageError) {
    self.directory = directory
    self.bin = bin
    self.removesOrphans = removesOrphans
    filePaths = files.map(\.path)
    self.isWritable = isWritable
    if isWritable { try makeDirectories(directory, mode: 0o700) }
    locks = try LockGroup(paths, isReadOnly: !isWritable, ranks: ranks, timeout: timeout)
    state = Mutex(State(table: RecordTable(files)))
  }

  /// Runs `body` with the lock held shared and the records fresh. Repeated names are repaired first, with the lock held
  /// exclusively; in a store that cannot be written they are an error.
  ///
  /// Not to be inlined: the optimizer of Swift 6.3 crashes on tokens made of a borrowed `self`.
  @inline(never)
  func withReading<R>(
    _ body: (borrowing RecordsReading<Record>) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    for _ in 0..<2 {
      if let result = try readIfFresh(body) { return result }
      try repair()
    }
    throw notRepaired
  }

  /// Runs `body` with the lock held shared; `nil` if the records need repair.
  @inline(never)
  private func readIfFresh<R>(
    _ body: (borrowing RecordsReading<Record>) throws(StorageError) -> R
  ) throws(StorageError) -> R? {
    let hold = SharedHold(try locks.acquire(.shared))
    defer { withExtendedLifetime(hold) {} }
    guard try isFresh(hold.group) else { return nil }
    return try body(RecordsReading(store: self))
  }

  /// Reloads what other processes changed; whether the records can be used as they are. Needs the lock.
  func isFresh(_ held: borrowing HeldGroup) throws(StorageError) -> Bool {
    let findings = try refresh(held)
    return findings.isEmpty || (!isWritable && findings.repeatedNames.isEmpty)
  }

  /// Repairs the records, for which it takes the lock exclusively.
  ///
  /// - Throws: `duplicateImageNames` in a store that cannot be written.
  func repair() throws(StorageError) {
    if !isWritable { throw StorageError(.duplicateImageNames) }
    try withWriting { (_: inout RecordsWriting<Record>) throws(StorageError) in }
  }

  /// What is said when records that were just repaired need it again.
  var notRepaired: StorageError {
    StorageError(.corrupt, "(even after successfully cleaning up once:) \(StorageError.Code.duplicateName.text)")
  }

  /// Runs `body` with the lock held exclusively and the records fresh and repaired.
  func withWriting<R>(
    _ body: (inout RecordsWriting<Record>) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    if !isWritable { throw StorageError(.readOnlyStore) }
    let hold = SharedHold(try locks.acquire(.exclusive))
    defer { withExtendedLifetime(hold) {} }
    do throws(StorageError) {
      var access = try beginWriting(hold)
      return try body(&access)
    } catch {
      forget()
      throw error
    }
  }

  /// The right to change records under locks that are held exclusively; the records are fresh and repaired.
  func beginWriting(_ hold: SharedHold) throws(StorageError) -> RecordsWriting<Record> {
    let access = RecordsWriting(reading: RecordsReading(store: self), hold: hold)
    let findings = try refresh(hold.group)
    if !findings.isEmpty {
      ItemUpdate.settle(in: directory, access.reading.records)
      StaleFiles.remove(in: writtenDirectories)
      removeOrphans(access)
      change(access) { $0.repairNames(findings) }
      try save(access)
    }
    return access
  }

  /// Makes the next acquisition reload and look for what was not finished: what was changed in memory but not saved must
  /// not be taken for the truth.
  func forget() {
    state.withLock { state in
      state.tokens = nil
      state.hasScanned = false
    }
  }

  private func refresh(_ held: borrowing HeldGroup) throws(StorageError) -> RecordTable<Record>.Findings {
    let tokens = try held.tokens(of: locks)
    return try state.withLock { (state) throws(StorageError) -> RecordTable<Record>.Findings in
      if state.tokens == tokens, !state.table.isStale { return RecordTable<Record>.Findings() }
      state.tokens = nil
      var findings = try state.table.load()
      if !state.hasScanned, isWritable {
        findings.hasStaleFiles =
          !StaleFiles.find(in: writtenDirectories).isEmpty || !orphans(state.table).isEmpty
        state.hasScanned = !findings.hasStaleFiles
      }
      if findings.isEmpty { state.tokens = tokens }
      return findings
    }
  }

  /// Directories with files that are written under this store's lock.
  private var writtenDirectories: [FilePath] { [directory] + filePaths.map { $0.removingLastComponent() } }

  /// Data directories of objects that were never recorded, or whose record is gone.
  ///
  /// Only names that look like identifiers count, and no directory with a `userdata` of a caller. Only for kinds of
  /// objects
  /// all of whose records are in this store's files.
  private func orphans(_ table: RecordTable<Record>) -> [FilePath] {
    // A record file that is missing or torn to nothing proves nothing: then all data would look unrecorded.
    guard removesOrphans, table.files.allSatisfy({ ($0.signature?.size ?? 0) > 0 }),
      let names = try? Syscall.directoryNames(directory)
    else { return [] }
    return names.compactMap { bytes in
      let name = String(decoding: bytes, as: UTF8.self)
      guard looksLikeIdentifier(name), let id = Record.ID(recorded: name), table[id] == nil else { return nil }
      let path = directory.appending(name)
      return Syscall.exists(path.appending("userdata")) ? nil : path
    }
  }

  private func removeOrphans(_ access: borrowing RecordsWriting<Record>) {
    for path in ask(access.reading, { self.orphans($0) }) {
      Log.warning("removing \(path), the data of an object that is not recorded")
      do throws(StorageError) { try removeTree(path) } catch { Log.warning("\(error)") }
    }
  }

  /// Whether the first record file is there and not torn to nothing; else the absence of a record proves nothing.
  func isRecordFilePresent(_ access: borrowing RecordsReading<Record>) -> Bool {
    state.withLock { $0.table.files.first?.signature?.size ?? 0 > 0 }
  }

  /// Asks the records.
  func ask<R>(_ access: borrowing RecordsReading<Record>, _ body: (RecordTable<Record>) -> R) -> R {
    state.withLock { body($0.table) }
  }

  /// Changes records in memory; ``save(_:)`` writes them.
  func change<R>(_ access: borrowing RecordsWriting<Record>, _ body: (inout RecordTable<Record>) -> R) -> R {
    state.withLock { body(&$0.table) }
  }

  /// Saves every changed file, announcing the write first.
  func save(_ access: borrowing RecordsWriting<Record>) throws(StorageError) {
    try state.withLock { (state) throws(StorageError) in
      state.tokens = nil
      let tokens = try access.hold.group.recordWrite(of: locks)
      for index in state.table.files.indices where state.table.files[index].isDirty {
        try state.table.files[index].save()
      }
      state.tokens = tokens
    }
  }
}

/// The right to read the records of images or containers: the lock is held, the records are fresh.
struct RecordsReading<Record: NamedRecord & BigDataRecord>: ~Copyable {
  /// The store.
  let store: RecordStore<Record>

  /// Resolves an identifier, a name or a unique identifier prefix to a record.
  func find(_ nameOrID: String) -> Record? {
    store.ask(self) { table in table.resolve(nameOrID).flatMap { table[$0] } }
  }

  /// The record with exactly this identifier.
  subscript(id: Record.ID) -> Record? { store.ask(self) { $0[id] } }

  /// All records in load order.
  var records: [Record] { store.ask(self) { $0.records } }

  /// Who has a name.
  func owner(ofName name: String) -> Record.ID? { store.ask(self) { $0.owner(ofName: name) } }
}

/// Locks that several tokens share; they are released with the last of them.
final class SharedHold: Sendable {
  /// The locks.
  let group: HeldGroup

  init(_ group: consuming HeldGroup) { self.group = group }
}

/// The right to change the records of images or containers: the lock is held exclusively.
struct RecordsWriting<Record: NamedRecord & BigDataRecord>: ~Copyable {
  /// The right to read.
  let reading: RecordsReading<Record>
  /// The locks.
  let hold: SharedHold

  /// The store.
  var store: RecordStore<Record> { reading.store }

  /// Adds a record and saves it.
  func append(_ record: Record, file: Int = 0) throws(StorageError) {
    store.change(self) { $0.append(record, file: file) }
    try store.save(self)
  }

  /// Adds a record, taking its names away from others, in one save.
  func appendTakingNames(_ record: Record, file: Int = 0) throws(StorageError) {
    var nameless = record
    nameless.names = []
    store.change(self) { table in
      table.append(nameless, file: file)
      table.setNames(record.names, of: record.id)
    }
    try store.save(self)
  }

  /// Changes a record and saves it.
  func update(_ id: Record.ID, _ change: (inout Record) -> Void) throws(StorageError) {
    store.change(self) { $0.update(id, change) }
    try store.save(self)
  }

  /// Gives an object its names, changes its record further, and saves every record that lost a name.
  func setNames(_ names: [String], of id: Record.ID, _ change: (inout Record) -> Void = { _ in }) throws(StorageError) {
    store.change(self) { table in
      table.setNames(names, of: id)
      table.update(id, change)
    }
    try store.save(self)
  }

  /// Takes back a record whose saving failed.
  ///
  /// - Returns: whether it is surely not on disk.
  func withdraw(_ id: Record.ID) -> Bool {
    store.change(self) { $0.remove(id) }
    do throws(StorageError) {
      try store.save(self)
      return true
    } catch {
      Log.warning("cannot take back the record of \(id), the next opener will look at it: \(error)")
      return false
    }
  }

  /// Forgets a record, saves, then moves its data directory into the bin.
  ///
  /// After a crash in between a directory without record is left, which the next opener removes.
  func remove(_ id: Record.ID, into bins: inout DeferredRemoval) throws(StorageError) {
    store.change(self) { $0.remove(id) }
    try store.save(self)
    try bins.add(store.directory.appending(FilePath(id.rawValue).components), bin: store.bin)
  }
}
