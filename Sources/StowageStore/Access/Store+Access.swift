// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem

/// The one way in under the locks.
extension Store {
  /// Runs `body` with parts of the store locked against changes, by other processes too.
  ///
  /// ```swift
  /// let used = try store.read([.layers, .images]) { access in
  ///   access.listImages().filter { $0.record.layer.flatMap { access.layer($0.rawValue) } != nil }
  /// }
  /// ```
  ///
  /// The locks are taken in the order layers, images, containers, and given up in the opposite one. Records that need repair
  /// are repaired first. Inside, only parts that come later in this order may be locked by another access.
  ///
  /// - Throws: what `body` throws; `busy` after the time limit; `corrupt` if record files cannot be read; `system`.
  public func read<R>(
    _ parts: StoreParts, _ body: (borrowing StoreReading) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    var held = HeldParts()
    let result: Result<R, StorageError>
    do throws(StorageError) {
      try take(parts, writing: [], RemovalBins(), &held)
      result = .success(try body(StoreReading(store: self, held: held)))
    } catch {
      result = .failure(error)
    }
    held.release()
    return try result.get()
  }

  /// Runs `body` with parts of the store locked for changes, and others against changes. See ``read(_:_:)``.
  ///
  /// Each change is on disk when the call that makes it returns. After a failure of `body` what was saved stays. Files that
  /// are removed are deleted when all locks are released.
  ///
  /// - Throws: as ``read(_:_:)``.
  public func write<R>(
    _ parts: StoreParts, reading others: StoreParts = [],
    _ body: (borrowing StoreWriting) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    try write(parts, reading: others, with: nil, body)
  }

  /// - Parameter driver: the driver, if `storage.lock` is held already.
  private func write<R>(
    _ parts: StoreParts, reading others: StoreParts, with driver: (any GraphDriver)?,
    _ body: (borrowing StoreWriting) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    let bins = RemovalBins()
    var held = HeldParts()
    let result: Result<R, StorageError>
    do throws(StorageError) {
      try take(parts.union(others), writing: parts, bins, &held, driver)
      let value = try body(StoreWriting(reading: StoreReading(store: self, held: held), bins: bins))
      held.releaseObjects()
      if parts.contains(.ownLayers) { held.layers?.writing.settlePins() }
      result = .success(value)
    } catch {
      held.forget()
      result = .failure(error)
    }
    held.release()
    bins.empty()
    return try result.get()
  }

  /// Takes locks in their order. What was taken before a failure is in `held`.
  private func take(
    _ parts: StoreParts, writing: StoreParts, _ bins: RemovalBins, _ held: inout HeldParts,
    _ driver: (any GraphDriver)? = nil
  ) throws(StorageError) {
    if parts.contains(.idRanges) {
      let lock = try LockFile.open(topology.roots.userNamespaceLock)
      held.idRanges = LockHold(try lock.acquire(.write, timeout: options.lockTimeout))
    }
    if parts.contains(.driver) { held.driver = try drivers.hold() }
    if parts.contains(.ownLayers) {
      let current: any GraphDriver
      if let known = held.driver?.driver ?? driver { current = known } else { current = try drivers.current() }
      let layers = try openLayers()
      layers.recoverOnce(current)
      let isOwn = !parts.contains(.layers)
      held.layers =
        try writing.contains(.ownLayers)
        ? write(layers, current, isOwn: isOwn, bins) : read(layers, current, bins)
    }
    if parts.contains(.ownImages) {
      held.images =
        try writing.contains(.ownImages)
        ? imageStores.beginWriting(includingOthers: parts.contains(.images)) : imageStores.beginReading()
    }
    if parts.contains(.containers) {
      held.containers =
        try writing.contains(.containers)
        ? containerStore.beginWriting(includingOthers: false) : containerStore.beginReading()
    }
  }

  private func read(
    _ layers: LayerStore, _ driver: any GraphDriver, _ bins: RemovalBins
  ) throws(StorageError) -> LayersHold {
    let text = "(even after 3 cleanup attempts:) an incomplete layer exists and can't be cleaned up"
    let records = try layers.records.beginReading(attempts: 4, failure: StorageError(.corrupt, text)) {
      (_) throws(StorageError) in
      try write(.ownLayers, reading: [], with: driver) { (_) throws(StorageError) in }
    }
    return LayersHold(layers, driver, records, bins)
  }

  private func write(
    _ layers: LayerStore, _ driver: any GraphDriver, isOwn: Bool, _ bins: RemovalBins
  ) throws(StorageError) -> LayersHold {
    let records = try layers.records.beginWriting(includingOthers: !isOwn) {
      (records, _, findings) throws(StorageError) in
      try LayersHold(layers, driver, records, bins).writing.repair(findings) { (tie, layer) throws(StorageError) in
        try self.need(of: tie, layer)
      }
    }
    return LayersHold(layers, driver, records, bins)
  }

  /// Who needs a layer left by a process that died.
  private func need(of tie: LayerTie, _ layer: LayerID) throws(StorageError) -> LayerTie.Needed {
    try read([.images, .containers]) { (access) throws(StorageError) in
      var needed = LayerTie.Needed.byNobody
      for image in access.images.tables.flatMap(\.records) {
        if tie.kind == .image, image.id.rawValue.hasSameBytes(as: tie.id) { needed = .byOwner }
        if image.layer == layer || image.mappedLayers.contains(layer), needed == .byNobody { needed = .byOthers }
      }
      for container in access.containers.records {
        if tie.kind == .container, container.id.rawValue.hasSameBytes(as: tie.id) { needed = .byOwner }
        if container.layer == layer, needed == .byNobody { needed = .byOthers }
      }
      return needed
    }
  }
}
