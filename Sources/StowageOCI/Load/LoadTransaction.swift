// SPDX-License-Identifier: Apache-2.0

import StowageModel
import StowageStore

/// What one load has made in the store so far, so that it can be taken back.
struct LoadTransaction {
  let store: Store
  let limit: SizeLimit?
  let progress: LoadProgress
  var madeLayers: [LayerID] = []
  private var madeImages: Set<ImageID> = []
  /// By position of the image: layers have been put, the record is not there yet.
  var unfinished: [Int: PendingImage] = [:]

  /// Starts with nothing made.
  init(_ store: Store, limit: SizeLimit?, progress: LoadProgress) {
    self.store = store
    self.limit = limit
    self.progress = progress
  }

  /// Makes the record of an image whose layers are in the store, or brings an existing record up to date, then gives it
  /// the names of the archive (chunked-and-composefs 5.5).
  mutating func record(_ plan: ImagePlan, image: Int, top: LayerID?) throws(StorageError) -> LoadedImage {
    let id = try plan.imageID
    var existing = try writableImage(id)
    let wasPresent = existing != nil && !madeImages.contains(id)
    if existing == nil, try !create(plan, id, top: top) { existing = try writableImage(id) }
    if let existing {
      try update(existing, with: plan, top: top)
    }
    try unfinished.removeValue(forKey: image)?.finish()
    return LoadedImage(id: id, names: plan.names, wasAlreadyPresent: wasPresent)
  }

  /// Removes what this load has made: images, then layers from the top, apart from layers that something else uses by
  /// now. Failures are logged; the failure that led here is the one to report.
  func rollBack() {
    for id in madeImages {
      do throws(StorageError) {
        try store.unsafeDelete(id.rawValue)
      } catch {
        Log.warning("removing image \(id) after a failed load: \(error)")
      }
    }
    for pending in unfinished.values {
      do throws(StorageError) { try pending.abandon() } catch {
        Log.warning("removing the layers of a failed load: \(error)")
      }
    }
    for id in madeLayers.reversed() {
      do throws(StorageError) {
        try store.layers.delete(id.rawValue)
      } catch {
        Log.debug("layer \(id) stays after a failed load: \(error)")
      }
    }
  }

  /// The image in the primary store. One in an additional store does not count: making the record anew takes over its
  /// items and names.
  private func writableImage(_ id: ImageID) throws(StorageError) -> ImageRecord? {
    do throws(StorageError) {
      let found = try store.images.find(id.rawValue)
      return found.record.id == id && !found.isReadOnly ? found.record : nil
    } catch {
      if error.code == .imageUnknown { return nil }
      throw error
    }
  }

  /// Makes a record with items and names in one write; returns false if another process was faster.
  private mutating func create(_ plan: ImagePlan, _ id: ImageID, top: LayerID?) throws(StorageError) -> Bool {
    var request = ImageCreation(
      id: id.rawValue, names: plan.names.reversed(), layer: top?.rawValue, metadata: plan.metadata,
      created: plan.created, digest: plan.recordDigest.description, bigData: plan.bigData)
    request.takesNames = true
    do throws(StorageError) {
      _ = try store.images.create(request)
    } catch {
      if error.code == .duplicateID { return false }
      throw error
    }
    madeImages.insert(id)
    return true
  }

  private func update(_ record: ImageRecord, with plan: ImagePlan, top: LayerID?) throws(StorageError) {
    guard record.layer == top else {
      throw StorageError(
        .duplicateID,
        "image with ID \(goQuoted(record.id.rawValue)) already exists, but uses a different top layer",
        subject: record.id.rawValue)
    }
    let signatures = ImageMetadata.sameSignatures(record.metadata, plan.metadata)
    // The last name of the archive ends up first.
    try store.images.update(
      record.id, items: try lacking(record, plan), metadata: signatures ? nil : plan.metadata,
      addingNames: plan.names.reversed())
  }

  /// The items that the record has not, or whose files are not what it says.
  private func lacking(_ record: ImageRecord, _ plan: ImagePlan) throws(StorageError) -> [BigDataItem] {
    var items: [BigDataItem] = []
    for item in plan.bigData {
      if record.holds(item), try store.images.hasFile(of: item, of: record.id) { continue }
      items.append(item)
    }
    return items
  }
}
