// SPDX-License-Identifier: Apache-2.0

internal import StowageModel

/// The images of all stores while their locks are held shared.
struct ImagesView: Sendable {
  /// One table per image store, in search order.
  let tables: [RecordTable<ImageRecord>]
  /// Whether the store at the same position can be changed.
  let isWritable: [Bool]

  /// Where an image was found.
  struct Found: Sendable {
    /// The record.
    let record: ImageRecord
    /// Position of the store.
    let store: Int
  }

  /// Finds an image by identifier, name or unique identifier prefix.
  ///
  /// A hit in a later store does not count if the primary store has an image with that identifier: its names were
  /// changed there (store-semantics 10.3, 27.1.23).
  func find(_ nameOrID: String) -> Found? {
    for (index, table) in tables.enumerated() {
      guard let id = table.resolve(nameOrID), let record = table[id] else { continue }
      if index > 0, tables[0][id] != nil { continue }
      return Found(record: record, store: index)
    }
    return nil
  }

  /// Finds an image or throws the reference's error.
  func require(_ nameOrID: String) throws(StorageError) -> Found {
    if let found = find(nameOrID) { return found }
    throw unknownImage(nameOrID)
  }

  /// What is shown of all images. One that both stores that may be written have, because it is being moved, is shown once;
  /// those of additional stores are not de-duplicated.
  var infos: [ImageInfo] {
    tables.indices.flatMap { index in
      tables[index].records.compactMap { record in
        let isHidden = isWritable[index] && tables[..<index].contains { $0[record.id] != nil }
        return isHidden ? nil : info(record, index)
      }
    }
  }

  /// What is shown of an image. Digests that are not valid are reported and left out (on-disk-format 20.17).
  func info(_ record: ImageRecord, _ store: Int) -> ImageInfo {
    var record = record
    let digests = digestsOrWarning(record)
    if record.digest == nil { record.digest = digests.first }
    return ImageInfo(record: record, isReadOnly: !isWritable[store], digests: digests)
  }
}

/// The digests of an image; none, with a warning, if the record has one that is not valid.
func digestsOrWarning(_ record: ImageRecord) -> [Digest] {
  do throws(StorageError) {
    return try record.computedDigests()
  } catch {
    Log.warning("\(error)")
    return []
  }
}

/// `locating image with ID "<id>": image not known`.
func unknownImage(_ nameOrID: String) -> StorageError {
  StorageError(.imageUnknown, subject: nameOrID).wrapped("locating image with ID \(goQuoted(nameOrID))")
}

extension Store {
  /// Runs `body` with the locks of all image stores held shared.
  func withImages<R>(_ body: (ImagesView) throws(StorageError) -> R) throws(StorageError) -> R {
    for _ in 0..<2 {
      var damaged: RecordStore<ImageRecord>?
      if let result = try readIfFresh(&damaged, body) { return result }
      try damaged?.repair()
    }
    throw primaryImages.notRepaired
  }

  /// Runs `body` with the locks held shared; `nil`, and the store that needs repair, if one does.
  private func readIfFresh<R>(
    _ damaged: inout RecordStore<ImageRecord>?, _ body: (ImagesView) throws(StorageError) -> R
  ) throws(StorageError) -> R? {
    let hold = SharedHold(try LockGroup.acquire(exclusive: [], shared: imageStores.map(\.locks)))
    defer { withExtendedLifetime(hold) {} }
    for store in imageStores where try !store.isFresh(hold.group) {
      damaged = store
      return nil
    }
    return try body(imagesView)
  }

  /// Runs `body` with the locks of all image stores that may be written held exclusively and those of others shared.
  func withImagesChanging<R>(_ body: (ImagesWriting) throws(StorageError) -> R) throws(StorageError) -> R {
    let writable = imageStores.filter(\.isWritable)
    let others = imageStores.filter { !$0.isWritable }
    let hold = SharedHold(try LockGroup.acquire(exclusive: writable.map(\.locks), shared: others.map(\.locks)))
    defer { withExtendedLifetime(hold) {} }
    do throws(StorageError) {
      for store in writable { _ = try store.beginWriting(hold) }
      for store in others where try !store.isFresh(hold.group) { throw StorageError(.duplicateImageNames) }
      return try body(ImagesWriting(stores: writable, hold: hold, view: imagesView))
    } catch {
      for store in writable { store.forget() }
      throw error
    }
  }

  /// What is in memory; needs the locks.
  private var imagesView: ImagesView {
    ImagesView(
      tables: imageStores.map { store in store.ask(RecordsReading(store: store)) { $0 } },
      isWritable: imageStores.map(\.isWritable))
  }
}

/// The right to change images: the locks of all image stores that may be written are held exclusively.
struct ImagesWriting {
  /// The stores that may be written, the one for new images first.
  fileprivate let stores: [RecordStore<ImageRecord>]
  fileprivate let hold: SharedHold
  /// All images as they were when the locks were taken.
  let view: ImagesView

  /// The right to change one store; `index` as in ``ImagesView/Found/store``.
  func at(_ index: Int) -> RecordsWriting<ImageRecord> {
    RecordsWriting(reading: RecordsReading(store: stores[index]), hold: hold)
  }

  /// Where an image is to be changed: in the store that has its record, else, as a copy, in the one for new images.
  func home(of found: ImagesView.Found) -> Int { found.store < stores.count ? found.store : 0 }

  /// Takes names away from the images of all stores that may be written but one, and saves what changed.
  func release(_ names: [String], except kept: Int) throws(StorageError) {
    for index in stores.indices where index != kept {
      let access = at(index)
      let owners = names.compactMap { access.reading.owner(ofName: $0) }
      if owners.isEmpty { continue }
      stores[index].change(access) { table in
        for owner in owners {
          table.setNames(
            (table[owner]?.names ?? []).filter { name in !names.contains { $0.hasSameBytes(as: name) } }, of: owner)
        }
      }
      try stores[index].save(access)
    }
  }
}

/// Finds containers: identifier, name, identifier of the layer, unique identifier prefix (on-disk-format 6.4).
extension RecordTable where Record == ContainerRecord {
  /// The container, or `nil`.
  func container(_ nameOrID: String) -> ContainerRecord? {
    if let id = ContainerID(recorded: nameOrID), let record = self[id] { return record }
    if let owner = owner(ofName: nameOrID) { return self[owner] }
    if let layer = LayerID(recorded: nameOrID), let record = records.first(where: { $0.layer == layer }) {
      return record
    }
    return resolve(nameOrID).flatMap { self[$0] }
  }
}

extension RecordsReading where Record == ContainerRecord {
  /// The container, or `nil`.
  func container(_ nameOrID: String) -> ContainerRecord? { store.ask(self) { $0.container(nameOrID) } }
}
