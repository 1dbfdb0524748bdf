// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import Synchronization
internal import SystemPackage

/// The primary layer store: records in up to three files, one table, one or two lock files, and the mount counts.
///
/// Nothing is readable or changeable without a token (``LayersReading``, ``LayersWriting``) that only
/// ``withReading(_:_:_:)`` and ``withWriting(_:_:_:)`` lend. In memory is what the files had at the last load or save;
/// each
/// acquisition compares and reloads. Source: on-disk-format 8–13.
final class LayerStore: Sendable {
  /// Where the files are.
  let topology: StoreTopology
  /// Tells who needs a tied layer. Takes the locks of images and
  /// containers.
  typealias Need = @Sendable (LayerTie, LayerID) throws(StorageError) -> Needed

  /// Who needs a tied layer.
  enum Needed: Sendable {
    /// The object it is tied to, which is recorded.
    case byOwner
    /// Another image or container.
    case byOthers
    /// Nobody.
    case byNobody
  }

  private let isNeeded: Need
  /// Whether layers of the image store that this graph root needs get pins; see ``PinLayer``.
  let pinsParents: Bool
  private let locks: LockGroup
  private let mountsLock: LockGroup
  private let state: Mutex<State>

  private struct State: Sendable {
    var table: LayerTable
    var mounts: MountLedger
    var tokens: [LastWrite]?
    var mountTokens: [LastWrite]?
    var hasRecovered = false
    /// Whether the directories were searched for what a dead writer left; once per store object.
    var hasScanned = false
    /// Tells the others who share the image store; `nil` if there is none.
    var publisher: DependentsPublisher?
  }

  /// Makes directories and lock files; loads nothing.
  init(
    _ topology: StoreTopology, timeout: Duration?, pinsParents: Bool, isNeeded: @escaping Need
  ) throws(StorageError) {
    self.topology = topology
    self.pinsParents = pinsParents
    self.isNeeded = isNeeded
    for directory in topology.layers.directories { try makeDirectories(directory, mode: 0o700) }
    locks = try LockGroup(
      topology.layers.locks, isReadOnly: false, ranks: [.layers, .imageStoreLayers], timeout: timeout)
    mountsLock = try LockGroup([topology.layers.mountsLock], isReadOnly: false, ranks: [.mounts], timeout: timeout)
    state = Mutex(
      State(
        table: LayerTable(topology.layers.documents), mounts: MountLedger(topology.layers.mounts),
        publisher: DependentsPublisher(topology)))
  }

  // MARK: Access

  /// Runs `body` with the lock held shared and the records fresh, and those of the given additional stores likewise.
  ///
  /// If the records need repair, that is done first, with the lock held exclusively (on-disk-format 10).
  func withReading<R>(
    _ driver: any GraphDriver, _ additional: [AdditionalLayerStore] = [],
    _ body: (borrowing LayersReading) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    recoverOnce(driver)
    for _ in 0..<4 {
      let held = try locks.acquire(.shared, with: additional.locks())
      if try refresh(held).isEmpty {
        let access = LayersReading(store: self, driver: driver, additional: try additional.tables(held))
        let result = try body(access)
        held.release()
        return result
      }
      held.release()
      try withWriting(driver) { (_: inout LayersWriting) throws(StorageError) in }
    }
    throw StorageError(
      .corrupt, "(even after 3 cleanup attempts:) an incomplete layer exists and can't be cleaned up")
  }

  /// Runs `body` with the lock held exclusively and the records fresh and repaired. What `body` puts into the bins is
  /// deleted after the lock is released, also if `body` throws.
  func withWriting<R>(
    _ driver: any GraphDriver, _ additional: [AdditionalLayerStore] = [],
    _ body: (inout LayersWriting) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    recoverOnce(driver)
    let held = try locks.acquire(.exclusive, with: additional.locks())
    let result: Result<R, StorageError>
    let tables = try additional.tables(held)
    var access = LayersWriting(
      reading: LayersReading(store: self, driver: driver, additional: tables), held: held, bins: DeferredRemoval())
    do throws(StorageError) {
      let findings = try refresh(access.held)
      try access.repair(findings, isNeeded)
      let value = try body(&access)
      access.settlePins()
      result = .success(value)
    } catch {
      // What was changed in memory but not saved must not be taken for the truth.
      state.withLock { $0.tokens = nil }
      result = .failure(error)
    }
    let bins = access.finish()
    do throws(StorageError) {
      try bins.empty()
    } catch {
      Log.warning("cannot delete all of a removed layer, the next opener will: \(error)")
    }
    return try result.get()
  }

  /// Removes what dead processes left in temporary directories; once per store object, safe without locks because each
  /// has its own (on-disk-format 13.3).
  private func recoverOnce(_ driver: any GraphDriver) {
    let isFirst = state.withLock { state in
      defer { state.hasRecovered = true }
      return !state.hasRecovered
    }
    if !isFirst { return }
    let roots = topology.layers.temporaries + driver.traits.temporaryRoots + [topology.layers.privateMounts]
    for root in roots { StagedDirectory.recover(root: root) }
  }

  // MARK: Freshness

  /// Reloads what other processes changed; says what needs repair.
  private func refresh(_ held: borrowing HeldGroup) throws(StorageError) -> LayerTable.Findings {
    // The tokens are read before the data, so that a write in between is noticed the next time.
    let tokens = try held.tokens(of: locks)
    return try state.withLock { (state) throws(StorageError) -> LayerTable.Findings in
      var findings = LayerTable.Findings()
      if state.tokens != tokens || state.table.isStale {
        state.tokens = nil
        state.mountTokens = nil
        do throws(StorageError) {
          findings = try state.table.load()
        } catch {
          throw error.wrapped("loading primary layer store data")
        }
      }
      try self.refreshMounts(&state)
      let mounts = state.mounts
      findings.tied.removeAll { id in
        state.table[id].flatMap { LayerTie($0.flags) }?.isAlive(topology, mounts) == true
      }
      if !state.hasScanned {
        findings.hasStaleFiles = !StaleFiles.find(in: writtenDirectories).isEmpty
        state.hasScanned = !findings.hasStaleFiles
      }
      // Unrepaired records are not taken for fresh.
      if findings.isEmpty { state.tokens = tokens }
      return findings
    }
  }

  /// Directories with files that are written under this store's lock.
  var writtenDirectories: [FilePath] {
    topology.layers.directories + topology.layers.dataSearch.map { DependentsDirectory(data: $0).path }
  }

  private func refreshMounts(_ state: inout State) throws(StorageError) {
    let held = try mountsLock.acquire(.shared)
    try refreshMounts(&state, held)
    held.release()
  }

  private func refreshMounts(_ state: inout State, _ held: borrowing HeldGroup) throws(StorageError) {
    let tokens = try held.tokens(of: mountsLock)
    if state.mountTokens == tokens, !state.mounts.file.isStale { return }
    state.mountTokens = nil
    let table = state.table
    try state.mounts.load { table.resolve($0) }
    state.mountTokens = tokens
  }

  // MARK: For the tokens

  /// Lends the records.
  func withTable<R>(
    _ access: borrowing LayersReading, _ body: (LayerTable) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    try state.withLock { (state) throws(StorageError) -> R in try body(state.table) }
  }

  /// Asks the records something that cannot fail.
  func ask<R>(_ access: borrowing LayersReading, _ body: (LayerTable) -> R) -> R {
    state.withLock { body($0.table) }
  }

  /// A copy of all mounts as of the last refresh.
  func mounts(_ access: borrowing LayersReading) -> MountLedger { state.withLock { $0.mounts } }

  /// Changes records in memory; ``save(_:)`` writes them. After a failed save everything is reloaded.
  func change<R>(_ access: borrowing LayersWriting, _ body: (inout LayerTable) -> R) -> R {
    state.withLock { body(&$0.table) }
  }

  /// Saves every changed file: first the write is announced in the lock files, then the files are replaced. Before and
  /// after it, other graph roots on the image store are told what is needed.
  func save(_ access: borrowing LayersWriting) throws(StorageError) {
    try state.withLock { (state) throws(StorageError) in
      state.tokens = nil
      let dependents = state.publisher == nil ? [] : state.table.dependents(topology.layers.documents)
      try state.publisher?.widen(to: dependents)
      let tokens = try access.held.recordWrite(of: locks)
      for index in state.table.files.indices where state.table.files[index].isDirty {
        try state.table.files[index].save()
      }
      state.tokens = tokens
      state.publisher?.narrow(to: dependents)
      let order = state.mounts.isEmpty ? [] : state.table.records.map(\.id)
      if state.mounts.prepare(order: order) {
        let held = try mountsLock.acquire(.exclusive)
        try self.saveMounts(&state, held)
        held.release()
      }
    }
  }

  /// Tells the others who share the image store that there is this graph root.
  func register(_ access: borrowing LayersWriting) throws(StorageError) {
    try state.withLock { (state) throws(StorageError) in try state.publisher?.register() }
  }

  private func saveMounts(_ state: inout State, _ held: borrowing HeldGroup) throws(StorageError) {
    state.mountTokens = nil
    let tokens = try held.recordWrite(of: mountsLock)
    try state.mounts.file.save()
    state.mountTokens = tokens
  }

  /// Runs `body` with `mountpoints.lock` held exclusively and the mounts fresh; what it changes is saved.
  ///
  /// If `body` throws, its changes are dropped.
  func withMounts<R>(
    _ access: borrowing LayersWriting, _ body: (inout MountLedger) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    let held = try mountsLock.acquire(.exclusive)
    var ledger = try currentMounts(held)
    let result = try body(&ledger)
    try store(ledger, held)
    held.release()
    return result
  }

  private func currentMounts(_ held: borrowing HeldGroup) throws(StorageError) -> MountLedger {
    try state.withLock { (state) throws(StorageError) -> MountLedger in
      try self.refreshMounts(&state, held)
      return state.mounts
    }
  }

  private func store(_ ledger: MountLedger, _ held: borrowing HeldGroup) throws(StorageError) {
    try state.withLock { (state) throws(StorageError) in
      state.mounts = ledger
      let order = ledger.isEmpty ? [] : state.table.records.map(\.id)
      if state.mounts.prepare(order: order) { try self.saveMounts(&state, held) }
    }
  }
}
