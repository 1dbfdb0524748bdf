// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageModel

/// Makes a layer, with content if a diff is given (store-semantics 7).
struct LayerPut {
  let store: Store
  let request: LayerCreation
  /// `nil` for a layer that begins like its parent.
  let diff: DiffRequest?

  /// Makes the layer. After a failure or a crash nothing of it is left.
  ///
  /// - Throws: as ``LayerOperations/put(_:diff:expecting:progress:isCancelled:)``.
  func run() throws(StorageError) -> PutLayer {
    guard let diff else { return PutLayer(layer: try putWithoutDiff(), size: -1) }
    let new = try LayerResolution(store: store, request: request, hasDiff: true).run()
    var staged: StagedContent? = try ContentStaging(store).stage(new, diff)
    let size = staged?.diff?.result?.contentSize ?? -1
    return PutLayer(layer: try new.commit(&staged, in: store), size: size)
  }

  /// Makes a layer that begins like its parent. If that takes a copy, it is made again when the parent has changed
  /// meanwhile.
  private func putWithoutDiff() throws(StorageError) -> LayerInfo {
    var attempts = 0
    while true {
      attempts += 1
      let new = try LayerResolution(store: store, request: request, hasDiff: false).run()
      do throws(StorageError) {
        var staged = try ContentStaging.copy(for: new, in: store)
        return try new.commit(&staged, in: store)
      } catch {
        guard error.code == .busy, attempts < ContentStaging.mostCopies else { throw error }
      }
    }
  }
}
