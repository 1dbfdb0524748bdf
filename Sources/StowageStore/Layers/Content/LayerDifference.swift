// SPDX-License-Identifier: Apache-2.0

internal import StowageCompression
internal import StowageDiff
internal import StowageModel
internal import SystemPackage

/// What a layer has that another one has not, found under the layers lock, and ready to be written while none is held.
///
/// If the layer is deleted meanwhile, writing fails.
struct LayerDifference {
  enum Content {
    /// The layer's own directory is the difference.
    case overlay(upper: FilePath, lowers: [FilePath], attributes: OverlayAttributes)
    /// Two trees; without an old one all is new.
    case trees(new: PrivateMount, old: PrivateMount?)
  }

  let content: Content
  /// The maps of the owners on disk.
  let maps: IDMaps
  let oldMaps: IDMaps

  /// Writes it as an archive. After a failure part of it is written.
  ///
  /// - Parameters:
  ///   - markNames: what becomes of names that would delete something in an archive of a layer.
  ///   - readsContent: whether files are read where trees are compared, so that none passes for unchanged; else sizes and times are
  ///     believed, as other programs do.
  ///   - keepsHoles: whether files with holes are written as sparse ones; only where trees are compared.
  ///   - sink: not finished.
  func write(
    _ markNames: MarkNames, readsContent: Bool = false, keepsHoles: Bool = false,
    _ cancellation: CancellationFlag? = nil, to sink: any ByteSink
  ) throws(StorageError) {
    switch content {
    case .overlay(let upper, let lowers, let attributes):
      try writeOverlayDiff(
        upper: upper, lowers: lowers, attributes: attributes, maps: maps, markNames: markNames,
        cancellation: cancellation, to: sink)
    case .trees(let new, let old):
      try writeTreeDiff(
        new: new.path, old: old?.path, maps: maps, oldMaps: oldMaps, markNames: markNames,
        readsContent: readsContent, keepsHoles: keepsHoles, cancellation: cancellation, to: sink)
    }
  }

  /// Ends what was mounted for it; a failure is logged.
  func end() {
    guard case .trees(let new, let old) = content else { return }
    new.end()
    old?.end()
  }
}
