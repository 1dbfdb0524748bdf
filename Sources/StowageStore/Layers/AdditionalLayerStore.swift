// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import Synchronization
internal import SystemPackage

/// The layers of an additional image store: read, never repaired, never written (on-disk-format 16).
final class AdditionalLayerStore: Sendable {
  /// Where the files are.
  let places: StoreTopology.AdditionalLayerPlaces
  private let locks: LockGroup
  private let state: Mutex<State>

  private struct State: Sendable {
    var table: LayerTable
    var tokens: [LastWrite]?
  }

  /// Opens the lock file, creating it where that is possible.
  init(_ places: StoreTopology.AdditionalLayerPlaces, index: Int) throws(StorageError) {
    self.places = places
    do throws(StorageError) {
      locks = try LockGroup([places.lock], isReadOnly: true, ranks: [.additionalLayers(index)])
    } catch {
      throw error.wrapped("loading additional layer stores")
    }
    state = Mutex(State(table: LayerTable(places.documents)))
  }

  /// Takes the lock shared and reloads what changed. The caller releases it.
  ///
  /// - Throws: `duplicateLayerNames`, `corrupt`, `system`.
  func beginReading() throws(StorageError) -> HeldGroup {
    let held = try locks.acquire(.shared)
    let tokens = try held.tokens()
    do throws(StorageError) {
      try state.withLock { (state) throws(StorageError) in
        if state.tokens == tokens, !state.table.isStale { return }
        state.tokens = nil
        if try !state.table.load().repeatedNames.isEmpty { throw StorageError(.duplicateLayerNames) }
        state.tokens = tokens
      }
    } catch {
      throw error.wrapped("loading additional layer stores")
    }
    return held
  }

  /// The records as of the last ``beginReading()``; to be used while that lock is held.
  var table: LayerTable { state.withLock { $0.table } }
}

/// An additional layer store with its lock held shared until this object is forgotten.
final class AdditionalHold: Sendable {
  /// The records.
  let table: LayerTable
  private let held: HeldGroup

  private init(_ store: AdditionalLayerStore) throws(StorageError) {
    held = try store.beginReading()
    table = store.table
  }

  /// Takes the locks of all the stores, in order.
  static func all(_ stores: [AdditionalLayerStore]) throws(StorageError) -> [AdditionalHold] {
    var holds: [AdditionalHold] = []
    for store in stores { holds.append(try AdditionalHold(store)) }
    return holds
  }
}
