// SPDX-License-Identifier: Apache-2.0

package import StowageFiles
package import StowageModel
package import SystemPackage

/// What one application of an archive is to leave besides the tree, and what is expected of it.
package struct ApplyRequest: Sendable {
  /// Where to write the tar-split file (gzip, mode 0600); must not exist yet. The caller renames it into place and removes
  /// it after a failure. Nil for no such file.
  package var tarSplit: FilePath?
  /// Whether the tar-split file is flushed to the device before success: for every policy but `none`. The tree itself is
  /// flushed by the caller.
  package var sync: SyncPolicy
  /// If set and valid sha256, the decompressed bytes must have this digest.
  package var expectedDiffDigest: Digest?
  /// If set and valid sha256, the supplied bytes must have this digest.
  package var expectedCompressedDigest: Digest?
  /// Is told the number of supplied bytes consumed so far, on another thread, about once per MiB.
  package var progress: (@Sendable (UInt64) -> Void)?
  /// Stops the work between two entries.
  package var cancellation: CancellationFlag?

  /// Makes a request.
  package init(
    tarSplit: FilePath? = nil, sync: SyncPolicy = .none, expectedDiffDigest: Digest? = nil,
    expectedCompressedDigest: Digest? = nil, progress: (@Sendable (UInt64) -> Void)? = nil,
    cancellation: CancellationFlag? = nil
  ) {
    self.tarSplit = tarSplit
    self.sync = sync
    self.expectedDiffDigest = expectedDiffDigest
    self.expectedCompressedDigest = expectedCompressedDigest
    self.progress = progress
    self.cancellation = cancellation
  }
}
