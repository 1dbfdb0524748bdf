// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import Synchronization
internal import SystemPackage

/// The mount counts of a store under a lock of their own, which is taken last of all and only here.
///
/// Changes also need the layer locks exclusively; in memory is what the file had at the last look under the layer lock.
final class MountCounts: Sendable {
  private let lock: LockGroup
  private let state: Mutex<State>

  private struct State: Sendable {
    var ledger: MountLedger
    var tokens: [LastWrite]?

    /// Reloads if another process has changed the file.
    mutating func refresh(
      _ held: borrowing HeldGroup, _ lock: LockGroup, _ resolve: (String) -> LayerID?
    ) throws(StorageError) {
      let tokens = try held.tokens(of: lock)
      if self.tokens == tokens, !ledger.file.isStale { return }
      self.tokens = nil
      try ledger.load(resolving: resolve)
      self.tokens = tokens
    }

    /// Writes the ledger, announcing that first.
    mutating func save(_ held: borrowing HeldGroup, _ lock: LockGroup) throws(StorageError) {
      tokens = nil
      let tokens = try held.recordWrite(of: lock)
      try ledger.file.save()
      self.tokens = tokens
    }
  }

  /// Makes the lock file; loads nothing.
  init(_ file: FilePath, lock path: FilePath, timeout: Duration?) throws(StorageError) {
    lock = try LockGroup([path], isReadOnly: false, ranks: [.mounts], timeout: timeout)
    state = Mutex(State(ledger: MountLedger(file)))
  }

  /// A copy of all mounts as of the last refresh.
  var ledger: MountLedger { state.withLock { $0.ledger } }

  /// Reloads what other processes changed. Layers are looked up in `table`, so after that was reloaded the ledger must be,
  /// too.
  func refresh(_ table: LayerTable, isForced: Bool) throws(StorageError) {
    try state.withLock { (state) throws(StorageError) in
      if isForced { state.tokens = nil }
      let held = try lock.acquire(.shared)
      try state.refresh(held, lock) { table.resolve($0) }
      held.release()
    }
  }

  /// Writes the ledger if the file differs: layers may have gone, or their order may have changed.
  func save(orderedAs table: LayerTable) throws(StorageError) {
    try state.withLock { (state) throws(StorageError) in
      let order = state.ledger.isEmpty ? [] : table.records.map(\.id)
      guard state.ledger.prepare(order: order) else { return }
      let held = try lock.acquire(.exclusive)
      try state.save(held, lock)
      held.release()
    }
  }

  /// Runs `body` with the lock held exclusively and the mounts fresh; what it changes is saved. If it throws, its changes are
  /// dropped.
  ///
  /// The layer locks must be held exclusively, or the store be one that nobody can change.
  func change<R>(
    _ layers: borrowing LayersReading, _ body: (inout MountLedger) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    let table = layers.ask { $0 }
    let held = try lock.acquire(.exclusive)
    var ledger = try current(held, table)
    let result = try body(&ledger)
    try store(ledger, held, table)
    held.release()
    return result
  }

  private func current(
    _ held: borrowing HeldGroup, _ table: LayerTable
  ) throws(StorageError) -> MountLedger {
    try state.withLock { (state) throws(StorageError) -> MountLedger in
      try state.refresh(held, lock) { table.resolve($0) }
      return state.ledger
    }
  }

  private func store(
    _ ledger: MountLedger, _ held: borrowing HeldGroup, _ table: LayerTable
  ) throws(StorageError) {
    try state.withLock { (state) throws(StorageError) in
      state.ledger = ledger
      let order = ledger.isEmpty ? [] : table.records.map(\.id)
      if state.ledger.prepare(order: order) { try state.save(held, lock) }
    }
  }
}
