// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import Synchronization
internal import SystemPackage

/// The layers of an additional image store: read, never repaired, never written (on-disk-format 16).
final class AdditionalLayerStore: Sendable {
  /// Where the files are.
  let places: StoreTopology.AdditionalLayerPlaces
  private let rank: LockRank
  private let timeout: Duration?
  private let state: Mutex<State>

  private struct State: Sendable {
    var table: LayerTable
    var tokens: [LastWrite]?
    var locks: LockGroup?
  }

  /// Names a store; nothing is opened.
  init(_ places: StoreTopology.AdditionalLayerPlaces, index: Int, timeout: Duration?) {
    self.places = places
    rank = .additionalLayers(index)
    self.timeout = timeout
    state = Mutex(State(table: LayerTable(places.documents)))
  }

  /// The lock, to be held shared together with those of the primary store.
  ///
  /// A store without lock file has no layers yet, or is a copy that nobody changes: it is read unlocked. Nothing is
  /// created in a store that is not ours; if its owner has made the file by the next time, that is locked.
  func locks() throws(StorageError) -> LockGroup {
    do throws(StorageError) {
      return try state.withLock { (state) throws(StorageError) -> LockGroup in
        if let locks = state.locks { return locks }
        let isPresent = try LockFile.isPresent(places.lock)
        let locks = try LockGroup(isPresent ? [places.lock] : [], isReadOnly: true, ranks: [rank], timeout: timeout)
        if isPresent { state.locks = locks }
        return locks
      }
    } catch {
      throw error.wrapped("loading additional layer stores")
    }
  }

  /// The records, reloaded if they changed. Needs the lock, held shared.
  ///
  /// - Throws: `duplicateLayerNames`, `corrupt`, `system`.
  func table(_ held: borrowing HeldGroup) throws(StorageError) -> LayerTable {
    let tokens = try state.withLock({ $0.locks }).map { (locks) throws(StorageError) in try held.tokens(of: locks) }
    do throws(StorageError) {
      return try state.withLock { (state) throws(StorageError) -> LayerTable in
        if state.tokens == tokens, !state.table.isStale { return state.table }
        state.tokens = nil
        if try !state.table.load().repeatedNames.isEmpty { throw StorageError(.duplicateLayerNames) }
        state.tokens = tokens
        return state.table
      }
    } catch {
      throw error.wrapped("loading additional layer stores")
    }
  }
}

extension [AdditionalLayerStore] {
  /// The locks of all of them, in order.
  func locks() throws(StorageError) -> [LockGroup] {
    var groups: [LockGroup] = []
    for store in self { groups.append(try store.locks()) }
    return groups
  }

  /// The records of all of them, in order. Needs their locks.
  func tables(_ held: borrowing HeldGroup) throws(StorageError) -> [LayerTable] {
    var tables: [LayerTable] = []
    for store in self { tables.append(try store.table(held)) }
    return tables
  }
}
