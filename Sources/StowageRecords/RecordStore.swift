// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import Synchronization
package import SystemPackage

/// The records of one store: files, their lock, and a table in memory that is reloaded when it is stale.
///
/// Nothing is readable or changeable without a token that only ``RecordsHold`` lends. In memory is what the files had at the
/// last load or save; each acquisition compares and reloads. Source: on-disk-format 8–13.
package final class RecordStore<Record: NamedRecord>: Sendable {
  /// Where everything is.
  package let places: RecordPlaces<Record>
  private let keeper: any RecordKeeper<Record>
  private let state: Mutex<State>

  private struct State: Sendable {
    var table: RecordTable<Record>
    /// What the lock files said when the table was loaded or saved; nil if it is not to be taken for fresh.
    var tokens: [LastWrite]?
    /// Whether the directories were searched for what a dead writer left; once per store object.
    var hasScanned = false
    /// Whether somebody who came to change something looked for data without a record, and there were none; once, too.
    var hasCollected = false
    var locks: LockGroup?
  }

  /// Makes the lock files where that is possible; loads nothing.
  ///
  /// - Throws: `system`.
  package init(_ places: RecordPlaces<Record>, _ keeper: some RecordKeeper<Record>) throws(StorageError) {
    self.places = places
    self.keeper = keeper
    var state = State(table: RecordTable(places.files))
    if places.isWritable {
      state.locks = try LockGroup(places.locks, isReadOnly: false, ranks: places.ranks, timeout: places.timeout)
    }
    self.state = Mutex(state)
  }

  /// Puts right what a load has found, as the keeper does it.
  func repair(
    _ findings: RecordTable<Record>.Findings, _ access: borrowing RecordsWriting<Record>
  ) throws(StorageError) { try keeper.repair(findings, access) }

  /// Directory of the objects' own files.
  package var directory: FilePath { places.directory }
  /// Where files of removed objects wait for their deletion.
  package var bin: FilePath { places.bin }
  /// Whether records may be changed here.
  package var isWritable: Bool { places.isWritable }

  /// The locks. If the owner of a store that is not ours has made the lock file by now, that counts from now on.
  func locks() throws(StorageError) -> LockGroup {
    do throws(StorageError) {
      return try state.withLock { (state) throws(StorageError) -> LockGroup in
        if let locks = state.locks { return locks }
        var present: [FilePath] = []
        for file in places.locks where try LockFile.isPresent(file) { present.append(file) }
        let locks = try LockGroup(present, isReadOnly: true, ranks: places.ranks, timeout: places.timeout)
        if !present.isEmpty { state.locks = locks }
        return locks
      }
    } catch {
      throw wrapped(error)
    }
  }

  // MARK: Freshness

  /// Reloads what other processes changed; says what needs repair. What is not repaired is not taken for fresh.
  ///
  /// - Throws: `corrupt`, `system`; of a store that cannot be written the code for repeated names, all else there is its
  ///   owner's to repair.
  func refresh(_ hold: RecordsHold<Record>) throws(StorageError) -> RecordTable<Record>.Findings {
    // The tokens are read before the data, so that a write in between is noticed the next time.
    let tokens = try hold.tokens(of: self)
    return try state.withLock { (state) throws(StorageError) -> RecordTable<Record>.Findings in
      var findings = RecordTable<Record>.Findings()
      let isStale = state.tokens != tokens || state.table.isStale
      if isStale {
        state.tokens = nil
        findings = try load(&state.table)
        if isWritable, !state.hasScanned {
          findings.hasLeavings = !StaleFiles.find(in: places.written).isEmpty
          state.hasScanned = !findings.hasLeavings
        }
      }
      if hold.collects, !state.hasCollected {
        let hasLeavings = keeper.hasLeavings(state.table)
        if hasLeavings { findings.hasLeavings = true }
        state.hasCollected = !hasLeavings
      }
      try keeper.judge(&findings, state.table, isReloaded: isStale)
      if findings.isEmpty { state.tokens = tokens }
      return findings
    }
  }

  private func load(_ table: inout RecordTable<Record>) throws(StorageError) -> RecordTable<Record>.Findings {
    do throws(StorageError) {
      let findings = try table.load()
      if isWritable { return findings }
      if !findings.repeatedNames.isEmpty { throw StorageError(places.repeatedNames) }
      return RecordTable<Record>.Findings()
    } catch {
      throw wrapped(error)
    }
  }

  private func wrapped(_ error: StorageError) -> StorageError { places.loading.map { error.wrapped($0) } ?? error }

  /// Makes the next acquisition reload and look for what was not finished: what was changed in memory but not saved must
  /// not be taken for the truth.
  func forget() {
    state.withLock { state in
      state.tokens = nil
      state.hasScanned = false
      state.hasCollected = false
    }
  }

  // MARK: For the tokens

  func ask<R, Failure: Error>(_ body: (RecordTable<Record>) throws(Failure) -> R) throws(Failure) -> R {
    try state.withLock { (state) throws(Failure) -> R in try body(state.table) }
  }

  func change<R>(_ body: (inout RecordTable<Record>) -> R) -> R { state.withLock { body(&$0.table) } }

  /// Saves every changed file, announcing the write first. After a failure everything is reloaded.
  func save(_ hold: RecordsHold<Record>, _ durability: Durability) throws(StorageError) {
    try state.withLock { (state) throws(StorageError) in
      state.tokens = nil
      try keeper.willSave(state.table)
      let tokens = try hold.recordWrite(of: self)
      for index in state.table.files.indices where state.table.files[index].isDirty {
        try state.table.files[index].save(durability)
      }
      state.tokens = tokens
      try keeper.didSave(state.table)
    }
  }
}
