// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageImage
import StowageModel
import StowageStore

/// One layer of an image with its place in the store. Can be worked on by any thread.
struct LayerJob: Sendable {
  let layer: ImagePlan.Layer
  let diffID: Digest
  /// The identifier the layer has in every store.
  let id: LayerID
  /// The layer below; nil for the base layer.
  let parent: LayerID?
  private let index: Int
  private let count: Int
  private let image: Int
  private let limit: SizeLimit?
  private let progress: LoadProgress

  /// The jobs of an image, base layer first. DiffIDs that the configuration does not tell are found out here.
  static func jobs(
    for plan: ImagePlan, image: Int, _ limit: SizeLimit?, _ progress: LoadProgress
  ) throws(StorageError) -> [LayerJob] {
    var jobs: [LayerJob] = []
    for (index, layer) in plan.layers.enumerated() {
      let parent = jobs.last?.id ?? plan.base
      do throws(StorageError) {
        let diffID = try layer.resolvedDiffID()
        let id = try LayerIdentity.layerID(diffID: diffID, over: parent)
        jobs.append(
          LayerJob(
            layer: layer, diffID: diffID, id: id, parent: parent, index: index, count: plan.layers.count, image: image,
            limit: limit, progress: progress))
      } catch {
        throw error.wrapped("layer \(index) (blob \(layer.digest))")
      }
    }
    return jobs
  }

  /// Tells the caller of the load how far this layer is.
  func report(_ done: Int64, _ state: LoadProgress.LayerState) {
    progress.report(
      LoadProgress.Report(
        image: image, layer: index, layerCount: count, blob: layer.digest, totalBytes: layer.blob.size, doneBytes: done,
        state: state))
  }

  /// An error of this layer, naming it.
  func failure(_ error: StorageError) -> StorageError {
    error.wrapped("layer \(index) (blob \(layer.digest))")
  }

  /// Extracts the layer over its parent, which must be in the store.
  func put(into store: Store, for pending: PendingImage) throws(StorageError) {
    report(0, .extracting)
    _ = try store.layers.put(
      request(over: parent, pending), diff: .source(try stream()), expecting: expected,
      isCancelled: progress.isCancelled)
  }

  /// Gives the layer, which is in the store and damaged, back what it has lost.
  func heal(in store: Store) throws(StorageError) {
    report(0, .extracting)
    try store.layers.heal(id, diff: .source(try stream()), expecting: expected)
  }

  /// Extracts the layer without making it.
  ///
  /// - Parameter ancestor: the nearest layer below that is in the store already.
  func prepare(
    in store: Store, over ancestor: LayerID?, isCancelled: @escaping @Sendable () -> Bool
  ) throws(StorageError) -> PreparedLayer {
    report(0, .extracting)
    let isStopped = progress.isCancelled
    return try store.layers.prepare(
      request(over: ancestor), diff: .source(try stream()), expecting: expected,
      isCancelled: { isCancelled() || isStopped() })
  }

  /// What the store is to make of the layer, over its parent.
  func request(for pending: PendingImage) -> LayerCreation { request(over: parent, pending) }

  /// Makes the layer of what was prepared; extracts it anew if that does not fit its parent.
  func make(of content: PreparedLayer, in store: Store, for pending: PendingImage) throws(StorageError) {
    do throws(StackFailure) {
      try store.layers.commit([(content, request(for: pending))])
    } catch {
      guard error.isUntouched, error.reason.code == .busy else { throw error.reason }
      try put(into: store, for: pending)
    }
  }

  private func request(over parent: LayerID?, _ pending: PendingImage? = nil) -> LayerCreation {
    var request = LayerCreation(id: id.rawValue, parent: parent?.rawValue)
    request.pending = pending
    return request
  }

  private func stream() throws(StorageError) -> any ByteSource {
    try layer.stream(isCancelled: progress.isCancelled) { done in report(done, .extracting) }
  }

  private var expected: ExpectedDiff {
    layer.isUncompressedFirst
      ? ExpectedDiff(diffDigest: diffID, limit: limit)
      : ExpectedDiff(compressedDigest: layer.digest, compressedSize: layer.blob.size, diffDigest: diffID, limit: limit)
  }
}
