// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// Tells the caller of a load how far each layer is.
///
/// Reports come from several threads, often, and in no order between layers: whoever shows them slows them down to what
/// a reader can follow. The closure must be quick; the load waits for it.
public struct LoadProgress: Sendable {
  /// What happens with a layer.
  public enum LayerState: Hashable, Sendable {
    /// The layer is being read, verified and extracted.
    case extracting
    /// The layer is in the store now.
    case done
    /// The store had the layer already.
    case reused
  }

  /// The state of one layer at one moment.
  public struct Report: Hashable, Sendable {
    /// Position of the image in the archive, from 0.
    public let image: Int
    /// Position of the layer in the image, from 0, the base layer first.
    public let layer: Int
    /// How many layers the image has.
    public let layerCount: Int
    /// The digest of the layer's blob; for a docker-archive the diffID.
    public let blob: Digest
    /// Bytes of the blob, as stored in the archive.
    public let totalBytes: Int64
    /// Bytes of the blob read so far, from 0 to `totalBytes`.
    public let doneBytes: Int64
    /// What happens with the layer.
    public let state: LayerState
  }

  let report: @Sendable (Report) -> Void
  let isCancelled: @Sendable () -> Bool

  /// Makes a progress that hands each report to `report`.
  ///
  /// - Parameter isCancelled: asked while layers are read, by several threads; once it says true the load fails with
  ///   `cancelled` and takes back what it made.
  public init(
    isCancelled: @escaping @Sendable () -> Bool = { false }, _ report: @escaping @Sendable (Report) -> Void
  ) {
    self.report = report
    self.isCancelled = isCancelled
  }

  /// Tells nothing.
  public static let silent = LoadProgress { _ in }
}
