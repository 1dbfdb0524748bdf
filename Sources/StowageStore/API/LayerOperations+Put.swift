// SPDX-License-Identifier: Apache-2.0

public import StowageModel

extension LayerOperations {
  /// Makes an empty layer (store-semantics 7).
  ///
  /// - Throws: `duplicateID`, `duplicateName`, `layerUnknown` for the parent, `parentIsContainer`, `invalidIdentifier`,
  ///   `notSupported` if the wanted ID maps need owners to be changed.
  public func create(_ request: LayerCreation) throws(StorageError) -> LayerInfo {
    try LayerPut(store: store, request: request, diff: nil).run().layer
  }

  /// Makes a layer from a diff, a tar archive plain or compressed.
  ///
  /// The diff is extracted without any lock; then the layer appears at once. After a failure or a crash nothing of it
  /// is
  /// left. On a failure the input may not have been read to its end.
  ///
  /// - Parameters:
  ///   - expecting: what the diff must turn out to be.
  ///   - progress: is told the bytes of input consumed so far, on another thread, about once per MiB.
  ///   - isCancelled: is asked between the steps and with every piece of content whether to stop.
  /// - Throws: as ``create(_:)``; `invalidArchive`, `digestMismatch`, `cancelled`.
  public func put(
    _ request: LayerCreation, diff: LayerInput, expecting: ExpectedDiff = ExpectedDiff(),
    progress: (@Sendable (UInt64) -> Void)? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(StorageError) -> PutLayer {
    let diff = DiffRequest(input: diff, expecting: expecting, progress: progress, isCancelled: isCancelled)
    return try LayerPut(store: store, request: request, diff: diff).run()
  }

  /// Makes a layer in the driver without a record; the parent is the driver's, not resolved.
  ///
  /// - Returns: the identifier.
  public func createInDriverOnly(_ request: LayerCreation) throws(StorageError) -> String {
    try DriverLayerCreation(store: store, request: request).run()
  }

  /// Extracts a diff into an existing layer of the primary store, whatever it contains, and records its digests.
  ///
  /// The layer lock is held meanwhile. After a failure the layer may be extracted partly.
  ///
  /// - Parameters:
  ///   - expecting: what the diff must turn out to be.
  ///   - isCancelled: is asked with every piece of content whether to stop.
  /// - Returns: bytes of content extracted.
  /// - Throws: `layerUnknown`, `invalidArchive`, `digestMismatch`, `cancelled`.
  @discardableResult
  public func apply(
    _ diff: LayerInput, to nameOrID: String, expecting: ExpectedDiff = ExpectedDiff(),
    isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(StorageError) -> Int64 {
    let request = DiffRequest(input: diff, expecting: expecting, progress: nil, isCancelled: isCancelled)
    return try DiffApplication(store: store, request, to: nameOrID, with: nil).run()
  }
}
