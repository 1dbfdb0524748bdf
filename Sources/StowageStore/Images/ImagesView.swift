// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageRecords

/// The images of all stores while their locks are held shared.
struct ImagesView: Sendable {
  /// One table per image store, in search order.
  let tables: [RecordTable<ImageRecord>]
  /// Whether the store at the same position can be changed.
  let isWritable: [Bool]

  /// What the records say; stores that are not held look empty.
  init(_ hold: RecordsHold<ImageRecord>) {
    let stores = hold.stores.all
    tables = stores.indices.map { hold.includes($0) ? hold.reading($0).ask { $0 } : RecordTable([]) }
    isWritable = stores.map(\.isWritable)
  }

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

extension ImageRecord {
  /// All layers that the image lists: mapped copies first, then the top layer.
  var topLayers: [LayerID] { mappedLayers + (layer.map { [$0] } ?? []) }
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

/// The right to change images: the locks of all image stores that may be written are held exclusively.
struct ImagesWriting: ~Copyable {
  /// All images as they were when this was made.
  let view: ImagesView
  private let hold: RecordsHold<ImageRecord>

  init(_ hold: RecordsHold<ImageRecord>) {
    self.hold = hold
    view = ImagesView(hold)
  }

  /// Positions of the stores that may be written, that for new images first.
  var own: [Int] { hold.stores.all.indices.filter { hold.stores.all[$0].isWritable } }

  /// The right to change one store; `index` as in ``ImagesView/Found/store``.
  func at(_ index: Int) -> RecordsWriting<ImageRecord> { hold.writing(index) }

  /// Where an image is to be changed: in the store that has its record, else, as a copy, in the one for new images.
  func home(of found: ImagesView.Found) -> Int { own.contains(found.store) ? found.store : 0 }

  /// Takes names away from the images of all stores that may be written but one, and saves what changed.
  func release(_ names: [String], except kept: Int) throws(StorageError) {
    for index in own where index != kept {
      let access = at(index)
      let owners = Set(names.compactMap { access.reading.owner(ofName: $0) })
      if owners.isEmpty { continue }
      access.change { table in
        for owner in owners {
          table.setNames(NameChange.remove(names).applied(to: table[owner]?.names ?? []), of: owner)
        }
      }
      try access.save()
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
  func container(_ nameOrID: String) -> ContainerRecord? { ask { $0.container(nameOrID) } }
}
