// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageModel
import StowageStore

/// Counts what is written of layers, and tells the caller of a save.
struct LayerProgress {
  private let progress: SaveProgress
  /// Raised when the caller wants the save to end.
  let cancellation: CancellationFlag

  init(_ progress: SaveProgress) {
    self.progress = progress
    cancellation = CancellationFlag(asking: progress.isCancelled)
  }

  /// One layer of one image.
  func of(_ layer: LayerArchive, _ index: Int, _ image: SavePlan, _ position: Int) -> Layer {
    Layer(
      progress: progress, image: position, layer: index, layerCount: image.layers.count, diffID: layer.digest,
      total: layer.size ?? 0)
  }

  /// How far one layer is.
  struct Layer {
    /// More often than once in so many bytes nobody wants to know.
    private static let step: Int64 = 1 << 20

    fileprivate let progress: SaveProgress
    fileprivate let image: Int
    fileprivate let layer: Int
    fileprivate let layerCount: Int
    fileprivate let diffID: Digest
    fileprivate let total: Int64

    /// A sink that counts the uncompressed layer's bytes.
    func sink(_ downstream: any ByteSink) -> any ByteSink {
      report(0, .writing)
      var (done, told): (Int64, Int64) = (0, 0)
      return TeeSink(downstream) { bytes in
        done += Int64(bytes.count)
        guard done - told >= Layer.step else { return }
        told = done
        report(done, .writing)
      }
    }

    /// Tells that the layer is written.
    func end(_ state: SaveProgress.LayerState) { report(total, state) }

    private func report(_ done: Int64, _ state: SaveProgress.LayerState) {
      progress.report(
        SaveProgress.Report(
          image: image, layer: layer, layerCount: layerCount, diffID: diffID, totalBytes: total,
          doneBytes: total > 0 ? min(done, total) : done, state: state))
    }
  }
}
