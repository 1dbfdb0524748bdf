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

// How the layers of an image get into the store.
extension LoadTransaction {
  /// Layers extracted at once. Each has a thread that unpacks and one that writes; more threads than processors only cost
  /// memory, and copying an image is six downloads at most in other tools.
  private static let mostThreads = min(6, max(2, sysconf(CInt(_SC_NPROCESSORS_ONLN))))
  /// Layers made in one access. The file of all records is written for each: one layer at a time would cost the square of their
  /// number.
  private static let mostTogether = 32
  /// Bytes of memory that layers may take which wait for others.
  private static let mostWaitingBytes = 4 << 20

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

  /// A layer whose content is extracted.
  private typealias Ready = (job: LayerJob, content: PreparedLayer)

  /// Extracts layers on several threads and makes them, some dozens at a time, when those below them are there.
  private mutating func putTogether(
    _ jobs: ArraySlice<LayerJob>, over ancestor: LayerID?, for pending: PendingImage
  ) throws(StorageError) {
    let store = store
    let stop = StopFlag()
    var waiting = jobs
    var running: [(job: LayerJob, content: BackgroundResult<PreparedLayer>)] = []
    var ready: [Ready] = []
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
        let prepared = try result(of: content, job)
        if let prepared { ready.append((job, prepared)) }
        let isLast = waiting.isEmpty && running.isEmpty
        if prepared == nil || isLast || isFull(ready) { try make(&ready, for: pending) }
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

  /// What an extraction gave; nil if another process was faster, and the layer is there.
  private func result(
    of content: BackgroundResult<PreparedLayer>, _ job: LayerJob
  ) throws(StorageError) -> PreparedLayer? {
    do throws(StorageError) { return try content.wait() } catch {
      guard try isMadeByAnother(job, error) else { throw job.failure(error) }
      return nil
    }
  }

  private func isFull(_ ready: [Ready]) -> Bool {
    ready.count >= LoadTransaction.mostTogether
      || ready.reduce(0) { $0 + $1.content.weight } > LoadTransaction.mostWaitingBytes
  }

  /// Makes layers of their content at once; one after the other if another process has made one of them meanwhile, or if content
  /// does not fit the parent that is there.
  private mutating func make(_ ready: inout [Ready], for pending: PendingImage) throws(StorageError) {
    let stack = ready
    ready = []
    if stack.isEmpty { return }
    do throws(StackFailure) {
      try store.layers.commit(stack.map { ($0.content, $0.job.request(for: pending)) })
      for (job, _) in stack { noteMade(job) }
    } catch {
      guard error.isUntouched else { throw stack[error.position].job.failure(error.reason) }
      for (job, content) in stack {
        try settle(job) { (store) throws(StorageError) in try job.make(of: content, in: store, for: pending) }
      }
    }
  }

  /// Enters the outcome of making a layer. Another process that was faster is no failure.
  private mutating func settle(
    _ job: LayerJob, _ make: (Store) throws(StorageError) -> Void
  ) throws(StorageError) {
    do throws(StorageError) {
      try make(store)
      noteMade(job)
    } catch {
      guard try isMadeByAnother(job, error) else { throw job.failure(error) }
    }
  }

  /// Whether making a layer failed because another process has made it meanwhile.
  private func isMadeByAnother(_ job: LayerJob, _ error: StorageError) throws(StorageError) -> Bool {
    guard error.code == .duplicateID, try hasLayer(job.id) else { return false }
    job.report(job.layer.blob.size, .reused)
    return true
  }

  private mutating func noteMade(_ job: LayerJob) {
    madeLayers.append(job.id)
    job.report(job.layer.blob.size, .done)
  }
}
