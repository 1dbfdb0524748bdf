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

  /// What is shown of all images, not de-duplicated.
  var infos: [ImageInfo] {
    tables.indices.flatMap { index in tables[index].records.map { info($0, index) } }
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
  /// Runs `body` with the locks of all image stores held shared, beginning with the one at `index`.
  func withImages<R>(
    from index: Int = 0, _ tables: [RecordTable<ImageRecord>] = [],
    _ body: (ImagesView) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    if index >= imageStores.count {
      return try body(ImagesView(tables: tables, isWritable: imageStores.map(\.isWritable)))
    }
    let store = imageStores[index]
    return try store.withReading { (access) throws(StorageError) -> R in
      try self.withImages(from: index + 1, tables + [store.ask(access) { $0 }], body)
    }
  }

  /// Runs `body` with the primary image lock held exclusively and those of the other image stores shared.
  func withImagesChanging<R>(
    _ body: (inout RecordsWriting<ImageRecord>, ImagesView) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    try primaryImages.withWriting { (access) throws(StorageError) -> R in
      let table = access.store.ask(access.reading) { $0 }
      return try self.withImages(from: 1, [table]) { (view) throws(StorageError) -> R in try body(&access, view) }
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
