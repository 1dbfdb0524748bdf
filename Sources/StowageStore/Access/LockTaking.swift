// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem

/// One access: takes locks in their order, lends the token, gives the locks up.
struct LockTaking {
  private let store: Store
  /// The driver, if the caller has it from a lock that it holds.
  private let driver: (any GraphDriver)?
  /// What is removed meanwhile.
  private let bins = RemovalBins()

  /// Begins with no lock.
  init(_ store: Store, driver: (any GraphDriver)? = nil) {
    self.store = store
    self.driver = driver
  }

  /// See ``Store/read(_:_:)``.
  func read<R>(
    _ parts: StoreParts, _ body: (borrowing StoreReading) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    var held = HeldParts()
    let result: Result<R, StorageError>
    do throws(StorageError) {
      try take(parts, writing: [], &held)
      result = .success(try body(StoreReading(store: store, held: held)))
    } catch {
      result = .failure(error)
    }
    held.release()
    return try result.get()
  }

  /// See ``Store/write(_:reading:_:)``.
  func write<R>(
    _ parts: StoreParts, reading others: StoreParts, freesSpace: Bool = false,
    _ body: (borrowing StoreWriting) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    if let refusal = store.topology.roots.refusal { throw refusal }
    let hasRoom = !freesSpace || store.reserve.prepare()
    var held = HeldParts()
    let result: Result<R, StorageError>
    do throws(StorageError) {
      try take(parts.union(others), writing: parts, &held)
      if !hasRoom, parts.contains(.ownLayers) { held.layers?.reading.yieldSpace() }
      let value = try body(StoreWriting(reading: StoreReading(store: store, held: held), bins: bins))
      held.releaseObjects()
      if parts.contains(.ownLayers), let layers = held.layers {
        layers.writing.settlePins()
        layers.store.settleRegistration(layers.writing)
      }
      try bins.flush()
      result = .success(value)
    } catch {
      held.forget()
      result = .failure(error)
    }
    held.release()
    bins.empty()
    if freesSpace { store.reserve.finish() } else { store.reserve.refill() }
    return try result.get()
  }

  /// Takes locks in their order. What was taken before a failure is in `held`. Of a store that can only be read all are others.
  private func take(_ parts: StoreParts, writing: StoreParts, _ held: inout HeldParts) throws(StorageError) {
    if parts.contains(.idRanges) {
      let lock = try LockFile.open(store.topology.roots.userNamespaceLock)
      held.idRanges = LockHold(try lock.acquire(.write, timeout: store.options.lockTimeout))
    }
    if parts.contains(.driver) { held.driver = try store.drivers.hold() }
    if parts.contains(.ownLayers) {
      let current: any GraphDriver
      if let known = held.driver?.driver ?? driver { current = known } else { current = try store.drivers.current() }
      let layers = try store.openLayers()
      layers.recoverOnce(current)
      held.layers =
        try writing.contains(.ownLayers)
        ? write(layers, current, includingOthers: parts.contains(.layers))
        : read(layers, current, includingOthers: parts.contains(.layers) || store.isReadOnly)
    }
    if parts.contains(.ownImages) {
      let images = store.imageStores
      held.images =
        try writing.contains(.ownImages)
        ? images.beginWriting(includingOthers: parts.contains(.images))
        : images.beginReading(includingOthers: parts.contains(.images) || store.isReadOnly)
    }
    if parts.contains(.containers) {
      let containers = store.containerStore
      held.containers =
        try writing.contains(.containers)
        ? containers.beginWriting(includingOthers: false) : containers.beginReading()
    }
  }

  private func read(
    _ layers: LayerStore, _ driver: any GraphDriver, includingOthers: Bool
  ) throws(StorageError) -> LayersHold {
    let text = "(even after 3 cleanup attempts:) an incomplete layer exists and can't be cleaned up"
    let records = try layers.records.beginReading(
      includingOthers: includingOthers, attempts: 4, failure: StorageError(.corrupt, text)
    ) { (_) throws(StorageError) in
      try LockTaking(store, driver: driver).write(.ownLayers, reading: [], freesSpace: true) {
        (_) throws(StorageError) in
      }
    }
    return LayersHold(layers, driver, records, bins)
  }

  private func write(
    _ layers: LayerStore, _ driver: any GraphDriver, includingOthers: Bool
  ) throws(StorageError) -> LayersHold {
    let records = try layers.records.beginWriting(includingOthers: includingOthers) {
      (records, _, findings) throws(StorageError) in
      try LayersHold(layers, driver, records, bins).writing.repair(findings, in: store)
    }
    return LayersHold(layers, driver, records, bins)
  }
}
