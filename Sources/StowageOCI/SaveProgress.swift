// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// Tells the caller of a save how far each layer is.
///
/// Reports come from one thread at a time, one for each mebibyte at most. The closure must be quick; the save waits for it.
public struct SaveProgress: Sendable {
  /// What happens with a layer.
  public enum LayerState: Hashable, Sendable {
    /// The layer is being read, verified and written.
    case writing
    /// All of the layer is written.
    case done
    /// The layer had been written for an earlier one that is the same.
    case shared
  }

  /// The state of one layer at one moment.
  public struct Report: Hashable, Sendable {
    /// Position of the image among those that are saved, from 0.
    public let image: Int
    /// Position of the layer in the image, from 0, the base layer first.
    public let layer: Int
    /// How many layers the image has.
    public let layerCount: Int
    /// The digest of the uncompressed layer.
    public let diffID: Digest
    /// Bytes of the uncompressed layer; 0 if they are not known.
    public let totalBytes: Int64
    /// Bytes of the uncompressed layer written so far.
    public let doneBytes: Int64
    /// What happens with the layer.
    public let state: LayerState
  }

  let report: @Sendable (Report) -> Void
  let isCancelled: @Sendable () -> Bool

  /// Makes a progress that hands each report to `report`.
  ///
  /// - Parameter isCancelled: is asked with each piece of data; once it says true the save fails with `cancelled`, and a file or
  ///   directory that was being made is gone.
  public init(
    isCancelled: @escaping @Sendable () -> Bool = { false }, _ report: @escaping @Sendable (Report) -> Void
  ) {
    self.report = report
    self.isCancelled = isCancelled
  }

  /// The same progress, whose save also ends when `isCancelled` says true.
  package func stopping(_ isCancelled: @escaping @Sendable () -> Bool) -> SaveProgress {
    SaveProgress(isCancelled: { isCancelled() || self.isCancelled() }, report)
  }

  /// Tells nothing.
  public static let silent = SaveProgress { _ in }
}
