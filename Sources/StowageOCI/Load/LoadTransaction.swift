// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageModel
import StowageStore
import Synchronization

/// Tells threads to stop.
private final class StopFlag: Sendable {
  private let value = Atomic(false)

  /// Whether to stop.
  var isSet: Bool { value.load(ordering: .relaxed) }

  func set() { value.store(true, ordering: .relaxed) }
}

/// What one load has made in the store so far, so that it can be taken back.
struct LoadTransaction {
  /// Layers extracted at once. Each has a thread that unpacks and one that writes; more threads than processors only cost
  /// memory, and copying an image is six downloads at most in other tools.
  private static let mostThreads = min(6, max(2, sysconf(CInt(_SC_NPROCESSORS_ONLN))))

  let store: Store
  let limit: SizeLimit?
  let progress: LoadProgress
  private var madeLayers: [LayerID] = []
  private var madeImages: Set<ImageID> = []
  /// By position of the image: layers have been put, the record is not there yet.
  private var unfinished: [Int: PendingImage] = [:]

  /// Starts with nothing made.
  init(_ store: Store, limit: SizeLimit?, progress: LoadProgress) {
    self.store = store
    self.limit = limit
    self.progress = progress
  }

  /// Puts the layers of an image that the store does not have yet; returns the top layer, nil for an image without
  /// layers.
  ///
  /// If the driver can, several layers are extracted at once; they appear in the store one after the other, the base
  /// layer first.
  ///
  /// - Throws: `digestMismatch` or `invalidArchive` if a layer is not what it should be; it is not in the store then.
  mutating func putLayers(of plan: ImagePlan, image: Int) throws(StorageError) -> LayerID? {
    let jobs = try LayerJob.jobs(for: plan, image: image, limit, progress)
    var missing = jobs[...]
    while let job = missing.first, try isThere(job) {
      job.report(job.layer.blob.size, .reused)
      missing = missing.dropFirst()
    }
    guard let first = missing.first else { return jobs.last?.id }
    // Until the image has its record, a crash makes the next opener delete these layers.
    let pending = try store.images.beginLoad(try plan.imageID)
    unfinished[image] = pending
    if missing.count > 1, try store.layers.canPrepare() {
      try putTogether(missing, over: first.parent, for: pending)
    } else {
      for job in missing {
        try settle(job) { (store) throws(StorageError) in try job.put(into: store, for: pending) }
      }
    }
    return jobs.last?.id
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

  // MARK: - Layers

  /// Whether the store has a layer already. One that has lost its tree or its tar-split file gets it back.
  private func isThere(_ job: LayerJob) throws(StorageError) -> Bool {
    guard try hasLayer(job.id) else { return false }
    do throws(StorageError) {
      if try store.layers.damage(of: job.id) != nil { try job.heal(in: store) }
    } catch {
      throw job.failure(error)
    }
    return true
  }

  private func hasLayer(_ id: LayerID) throws(StorageError) -> Bool {
    do throws(StorageError) {
      let found = try store.layers.find(id.rawValue)
      return found.record.id == id && !found.record.isIncomplete
    } catch {
      if error.code == .layerUnknown { return false }
      throw error
    }
  }

  /// Extracts layers on several threads and commits each when those below it are there.
  private mutating func putTogether(
    _ jobs: ArraySlice<LayerJob>, over ancestor: LayerID?, for pending: PendingImage
  ) throws(StorageError) {
    let store = store
    let stop = StopFlag()
    var waiting = jobs
    var running: [(job: LayerJob, content: BackgroundResult<PreparedLayer>)] = []
    var failure: StorageError?
    while failure == nil, !(waiting.isEmpty && running.isEmpty) {
      while running.count < LoadTransaction.mostThreads, let job = waiting.popFirst() {
        let content = BackgroundResult { () throws(StorageError) in
          try job.prepare(in: store, over: ancestor) { stop.isSet }
        }
        running.append((job, content))
      }
      let (job, content) = running.removeFirst()
      do throws(StorageError) {
        try settle(job) { (store) throws(StorageError) in
          try job.commit(try content.wait(), to: store, for: pending)
        }
      } catch {
        failure = error
      }
    }
    guard let failure else { return }
    stop.set()
    // Content that was prepared in vain deletes itself.
    for (_, content) in running { _ = try? content.wait() }
    throw failure
  }

  /// Enters the outcome of making a layer. Another process that was faster is no failure.
  private mutating func settle(
    _ job: LayerJob, _ make: (Store) throws(StorageError) -> Void
  ) throws(StorageError) {
    do throws(StorageError) {
      try make(store)
      madeLayers.append(job.id)
      job.report(job.layer.blob.size, .done)
    } catch {
      guard error.code == .duplicateID, try hasLayer(job.id) else { throw job.failure(error) }
      job.report(job.layer.blob.size, .reused)
    }
  }

  // MARK: - Images

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
