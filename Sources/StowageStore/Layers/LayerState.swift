// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// What tells whether a layer's content is still what it was when a lock was held before.
///
/// Content is copied without a lock, while others may delete the layer, make another one of its name, or apply a diff to
/// it. Each of these changes the record, the directory, or the tar-split file; names and metadata do not count. What a
/// program writes into a mounted layer is not seen, whether a lock is held or not.
struct LayerState: Equatable, Sendable {
  private let created: Timestamp?
  private let compressedDigest: Digest?
  private let diffDigest: Digest?
  private let directory: FileSignature.Identity?
  private let tarSplit: FileSignature?

  /// Looks at a layer; the token shows that its lock is held.
  init(of layer: FoundLayer, _ layers: borrowing LayersReading) {
    created = layer.record.created
    compressedDigest = layer.record.compressedDiffDigest
    diffDigest = layer.record.diffDigest
    directory = .of(layers.driver.directory(of: layer.location))
    tarSplit = layers.tarSplitFile(of: layer).flatMap { .of($0) }
  }

  /// Looks at a tree of the driver that is not recorded.
  init(unrecorded layer: LayerLocation, _ driver: any GraphDriver) {
    created = nil
    compressedDigest = nil
    diffDigest = nil
    directory = .of(driver.directory(of: layer))
    tarSplit = nil
  }
}
