// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import Synchronization

/// The locks of one access, in the order in which they were taken.
struct HeldParts {
  /// `userns.lock`.
  var idRanges: LockHold?
  /// `storage.lock`.
  var driver: DriverHold?
  /// The layer locks, with what the tokens of layers need.
  var layers: LayersHold?
  /// The image locks.
  var images: RecordsHold<ImageRecord>?
  /// The container locks.
  var containers: RecordsHold<ContainerRecord>?

  /// Gives up the locks that were taken after the layer locks.
  func releaseObjects() {
    containers?.release()
    images?.release()
  }

  /// Gives up all locks.
  func release() {
    releaseObjects()
    layers?.records.release()
    driver?.release()
    idRanges?.release()
  }

  /// Makes sure that what was changed but not saved is not taken for the truth.
  func forget() {
    containers?.forget()
    images?.forget()
    layers?.records.forget()
  }
}

/// One held lock file.
final class LockHold: Sendable {
  private let held: Mutex<HeldLock?>

  init(_ held: consuming HeldLock) { self.held = Mutex(held) }

  /// Leaves a fresh mark for other processes; the lock must be held exclusively.
  func recordWrite() throws(StorageError) {
    try held.withLock { (held) throws(StorageError) in _ = try held?.writeAccess.recordWrite() }
  }

  /// Gives the lock up; a second time does nothing.
  func release() {
    if let held = held.withLock({ $0.take() }) { held.release() }
  }
}

/// Held layer locks.
struct LayersHold {
  /// The layers.
  let store: LayerStore
  /// The driver as of the time the locks were taken.
  let driver: any GraphDriver
  /// The records.
  let records: RecordsHold<LayerRecord>
  /// Records of additional stores, in configured order; none if these are not held.
  let additional: [LayerTable]
  /// Where trees to delete wait.
  let bins: RemovalBins

  init(_ store: LayerStore, _ driver: any GraphDriver, _ records: RecordsHold<LayerRecord>, _ bins: RemovalBins) {
    self.store = store
    self.driver = driver
    self.records = records
    self.bins = bins
    additional = records.stores.all.indices.dropFirst().compactMap { index in
      records.includes(index) ? records.reading(index).ask { $0 } : nil
    }
  }

  /// The right to read layers.
  var reading: LayersReading {
    LayersReading(store: store, driver: driver, records: records.reading(), additional: additional)
  }

  /// The right to change layers of the primary store.
  var writing: LayersWriting { LayersWriting(reading: reading, records: records.writing(), bins: bins) }
}
