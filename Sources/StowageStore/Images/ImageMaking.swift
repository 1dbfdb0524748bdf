// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Makes an image (store-semantics 10.1).
///
/// The layer lock is held shared meanwhile, so the top layer cannot vanish. Big data items are written before the
/// record; a crash in between leaves only their directory, until garbage collection is asked for.
struct ImageMaking {
  let store: Store
  /// What is wanted.
  let request: ImageCreation

  /// Makes the image.
  ///
  /// - Throws: `duplicateID`, `duplicateName`, `layerUnknown`, `invalidDigest`, `invalidIdentifier`; `system`.
  func run() throws(StorageError) -> ImageInfo {
    let layer = request.layer ?? ""
    let others: StoreParts = layer.isEmpty ? [] : [.layers]
    return try store.write([.images], reading: others) { (access) throws(StorageError) -> ImageInfo in
      if layer.isEmpty { return try make(top: nil, home: 0, access.images) }
      let layers = access.reading.layers
      guard let top = layers.find(layer) else { throw StorageError(.layerUnknown, subject: layer) }
      let role = layers.layer(top.id, at: .imageStore)?.location.role ?? top.location.role
      let home = store.topology.storeForNewImage(over: role)
      return try make(top: top.id, home: home, access.images)
    }
  }

  private func make(
    top: LayerID?, home: Int, _ all: borrowing ImagesWriting
  ) throws(StorageError) -> ImageInfo {
    let images = all.at(home)
    let view = all.view
    var record = ImageRecord(id: try newID(images.reading), layer: top)
    record.names = withoutRepeats(request.names)
    for index in 0...home { try checkFree(record, all.at(index).reading, names: !request.takesNames) }
    var items = request.bigData
    if let found = (request.id ?? "").isEmpty ? nil : view.find(record.id.rawValue), found.store > home {
      items = try found.pass(to: &record, from: store) + items
    }
    try request.apply(to: &record)
    for item in items { record.enter(item.key, size: item.bytes.count, digest: item.recordedDigest) }
    try record.checkDigests()
    record.settleDigest()
    let directory = images.store.directory
    try store.topology.refuseOverwriting(itemsIn: directory.appending(record.id.rawValue))
    do throws(StorageError) {
      if !items.isEmpty { try images.ensureFile() }
      try BigDataFiles.write(items, of: record.id.rawValue, in: directory, kind: "image")
      if request.takesNames {
        record.remember(record.names)
        try images.appendTakingNames(record)
        try all.release(record.names, except: home)
      } else {
        try images.append(record)
      }
    } catch {
      // Data of a record that may be on disk stay; if it is not, garbage collection removes them.
      // That they cannot be removed is told then.
      if images.withdraw(record.id) { try? removeTree(directory.appending(record.id.rawValue)) }
      throw error
    }
    return view.info(record, home)
  }

  private func newID(_ images: borrowing RecordsReading<ImageRecord>) throws(StorageError) -> ImageID {
    if let text = request.id, !text.isEmpty { return try ImageID(validating: text) }
    while true {
      let id = ImageID.random()
      if images[id] == nil { return id }
    }
  }

  private func checkFree(
    _ record: ImageRecord, _ images: borrowing RecordsReading<ImageRecord>, names: Bool
  ) throws(StorageError) {
    if images[record.id] != nil {
      throw StorageError(.duplicateID, subject: record.id.rawValue)
        .wrapped("an image with ID \(goQuoted(record.id.rawValue)) already exists")
    }
    for name in names ? record.names : [] {
      if let owner = images.owner(ofName: name) {
        throw StorageError(.duplicateName, subject: name).wrapped(
          "image name \(goQuoted(name)) is already associated with image \(goQuoted(owner.rawValue))")
      }
    }
  }
}

extension ImagesView.Found {
  /// Hands over what an image of another store has (on-disk-format 16.3); its names too.
  fileprivate func pass(to record: inout ImageRecord, from store: Store) throws(StorageError) -> [BigDataItem] {
    let old = self.record
    record.digest = old.digest
    record.metadata = old.metadata
    record.created = old.created
    record.namesHistory = old.namesHistory
    record.names = withoutRepeats(record.names + old.names)
    return try items(from: store)
  }

  private func items(from store: Store) throws(StorageError) -> [BigDataItem] {
    var items: [BigDataItem] = []
    for key in record.bigDataNames {
      let directory = store.imageStores[self.store].directory
      guard let bytes = BigDataFiles.read(key, of: record.id.rawValue, in: directory) else {
        throw missingItem(key, record.id.rawValue)
      }
      items.append(BigDataItem(key: key, bytes: bytes, digest: record.bigDataDigests[key]))
    }
    return items
  }

  /// Copies an image of another store into the primary one, so that it can be changed.
  func copy(into images: borrowing RecordsWriting<ImageRecord>, from store: Store) throws(StorageError) {
    var record = record
    record.mappedLayers = []
    let directory = images.store.directory
    try store.topology.refuseOverwriting(itemsIn: directory.appending(record.id.rawValue))
    let items = try items(from: store)
    try images.ensureFile()
    try BigDataFiles.write(items, of: record.id.rawValue, in: directory, kind: "image")
    for item in items {
      record.enter(item.key, size: item.bytes.count, digest: item.recordedDigest)
    }
    record.names = []
    images.change { $0.append(record, file: 0) }
  }
}

/// `locating item named …` of images.
func missingItem(_ key: String, _ image: String) -> StorageError {
  StorageError(
    .imageDataMissing,
    "locating item named \(goQuoted(key)) for image with ID \(goQuoted(image)) (consider removing the image to resolve "
      + "the issue): file does not exist", subject: image)
}

extension ImageCreation {
  /// Enters what the request says into a record that may have inherited members.
  fileprivate func apply(to record: inout ImageRecord) throws(StorageError) {
    if let created { record.created = created }
    if !metadata.isEmpty { record.metadata = metadata }
    if let digest, !digest.isEmpty {
      do throws(DigestError) {
        record.digest = try Digest(parsing: digest)
      } catch {
        throw StorageError(.invalidDigest, "\(error)", cause: error).wrapped(
          "validating digests for new image: validating image digest \(goQuoted(digest))")
      }
    }
    record.namesHistory += namesHistory
    for (key, value) in flags { record.flags[key] = value }
  }
}

extension ImageRecord {
  /// Refuses digests of manifests that would make the store unusable.
  fileprivate func checkDigests() throws(StorageError) {
    do throws(StorageError) {
      _ = try computedDigests()
    } catch {
      throw error.wrapped("validating digests for new image")
    }
  }
}
