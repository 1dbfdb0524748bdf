// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import Synchronization

/// Stores of one kind of records, whose locks are taken together: those that may be written first, then others in search
/// order. The order of the locks is that of their ranks.
package struct RecordStores<Record: NamedRecord>: Sendable {
  /// The stores.
  package let all: [RecordStore<Record>]

  /// Joins stores.
  package init(_ all: [RecordStore<Record>]) { self.all = all }

  /// The store at a position.
  package subscript(index: Int) -> RecordStore<Record> { all[index] }

  /// Takes all locks shared and makes all records fresh.
  ///
  /// What needs repair is repaired first, for which no lock of these stores is held meanwhile.
  ///
  /// - Parameters:
  ///   - includingOthers: whether those that are only read are wanted.
  ///   - attempts: how often at most.
  ///   - repair: repairs one store, with its lock held exclusively.
  ///   - failure: what is thrown when records that were just repaired need it again and again.
  /// - Throws: `busy`, `corrupt`, `system`; what `repair` throws.
  package func beginReading(
    includingOthers: Bool = true, attempts: Int, failure: @autoclosure () -> StorageError,
    repair: (RecordStore<Record>) throws(StorageError) -> Void
  ) throws(StorageError) -> RecordsHold<Record> {
    for _ in 0..<attempts {
      let hold = try RecordsHold(self, writes: false, includesOthers: includingOthers)
      guard let damaged = try firstDamaged(hold) else { return hold }
      hold.release()
      try repair(damaged)
    }
    throw failure()
  }

  private func firstDamaged(_ hold: RecordsHold<Record>) throws(StorageError) -> RecordStore<Record>? {
    for (index, store) in all.enumerated() where hold.includes(index) {
      let findings = try store.refresh(hold)
      if !findings.isEmpty { return store }
    }
    return nil
  }

  /// Takes the locks of the stores that may be written exclusively and, if wanted, those of the others shared; makes all
  /// records fresh, and repairs them.
  ///
  /// After a failure nothing is held, and what was changed in memory but not saved is forgotten.
  ///
  /// - Parameters:
  ///   - collects: whether what dead writers left beside the records is looked for; not by who only reads.
  ///   - repair: repairs one store of the hold.
  /// - Throws: `busy`, `corrupt`, `system`; what `repair` throws.
  package func beginWriting(
    includingOthers: Bool, collects: Bool = true,
    repair: (RecordsHold<Record>, Int, RecordTable<Record>.Findings) throws(StorageError) -> Void
  ) throws(StorageError) -> RecordsHold<Record> {
    let hold = try RecordsHold(self, writes: true, includesOthers: includingOthers, collects: collects)
    do throws(StorageError) {
      if includingOthers { for store in all where !store.isWritable { _ = try store.refresh(hold) } }
      for (index, store) in all.enumerated() where store.isWritable {
        let findings = try store.refresh(hold)
        if !findings.isEmpty { try repair(hold, index, findings) }
      }
      return hold
    } catch {
      hold.forget()
      hold.release()
      throw error
    }
  }

  /// Takes the locks of the stores that may be written exclusively and reads nothing: for who puts files in place of damaged
  /// ones. What is in memory afterwards is to be forgotten.
  ///
  /// - Throws: `busy`, `system`.
  package func beginReplacing() throws(StorageError) -> RecordsHold<Record> {
    try RecordsHold(self, writes: true, includesOthers: false)
  }
}

/// Held locks of some ``RecordStores`` whose records are fresh. The only source of tokens; these must not outlive
/// ``release()``.
package final class RecordsHold<Record: NamedRecord>: Sendable {
  /// The stores, those included whose locks are not held.
  package let stores: RecordStores<Record>
  /// Whether records may be changed.
  package let writes: Bool
  /// Whether what dead writers left beside the records is looked for, and removed.
  let collects: Bool
  private let includesOthers: Bool
  private let groups: [LockGroup?]
  private let held: Mutex<HeldGroup?>

  fileprivate init(
    _ stores: RecordStores<Record>, writes: Bool, includesOthers: Bool, collects: Bool = false
  ) throws(StorageError) {
    self.stores = stores
    self.collects = collects
    self.writes = writes
    self.includesOthers = includesOthers
    var groups: [LockGroup?] = []
    var exclusive: [LockGroup] = []
    var shared: [LockGroup] = []
    for store in stores.all {
      guard store.isWritable || includesOthers else {
        groups.append(nil)
        continue
      }
      let group = try store.locks()
      groups.append(group)
      if writes && store.isWritable { exclusive.append(group) } else { shared.append(group) }
    }
    self.groups = groups
    held = Mutex(try LockGroup.acquire(exclusive: exclusive, shared: shared))
  }

  /// Gives the locks up; a second time does nothing.
  package func release() {
    if let held = held.withLock({ $0.take() }) { held.release() }
  }

  /// Makes sure that what was changed in memory but not saved is not taken for the truth.
  package func forget() {
    for store in stores.all where writes && store.isWritable { store.forget() }
  }

  // MARK: Tokens

  /// Whether the records of a store may be read.
  package func includes(_ index: Int) -> Bool { groups[index] != nil }

  /// The right to read the records of a store. Traps if its lock is not held: that is a programmer's fault.
  package func reading(_ index: Int = 0) -> RecordsReading<Record> {
    precondition(includes(index), "the lock of these records is not held")
    return RecordsReading(store: stores.all[index])
  }

  /// The right to change the records of a store. Traps if its lock is not held exclusively: that is a programmer's fault.
  package func writing(_ index: Int = 0) -> RecordsWriting<Record> {
    precondition(
      writes && stores.all[index].isWritable, "the lock of these records is not held exclusively")
    return RecordsWriting(reading: reading(index), hold: self)
  }

  /// Tells other processes that files are about to be replaced.
  package func announceWrites() throws(StorageError) {
    for store in stores.all where writes && store.isWritable { _ = try recordWrite(of: store) }
  }

  // MARK: For the stores

  func tokens(of store: RecordStore<Record>) throws(StorageError) -> [LastWrite] {
    guard let group = group(of: store) else { return [] }
    return try held.withLock { (held) throws(StorageError) in try held?.tokens(of: group) ?? [] }
  }

  func recordWrite(of store: RecordStore<Record>) throws(StorageError) -> [LastWrite] {
    guard let group = group(of: store) else { throw StorageError(.readOnlyStore) }
    return try held.withLock { (held) throws(StorageError) in
      guard held != nil, let tokens = try held?.recordWrite(of: group) else { throw StorageError(.readOnlyStore) }
      return tokens
    }
  }

  private func group(of store: RecordStore<Record>) -> LockGroup? {
    stores.all.firstIndex { $0 === store }.flatMap { groups[$0] }
  }
}
