// SPDX-License-Identifier: Apache-2.0

package import StowageFiles
package import StowageModel
package import SystemPackage

/// What one application of an archive is to leave besides the tree, and what is expected of it.
package struct ApplyRequest: Sendable {
  /// Where to write the tar-split file (gzip, mode 0600); must not exist yet. The caller renames it into place and removes
  /// it after a failure. Nil for no such file.
  package var tarSplit: FilePath?
  /// When content must reach the device. The file system, for that policy, is flushed by the caller.
  package var sync: SyncPolicy
  /// Whether the tar-split file is flushed by itself: not if the caller's flush of the file system is of the one that it is on.
  package var flushesTarSplit: Bool
  /// If set and valid sha256, the decompressed bytes must have this digest.
  package var expectedDiffDigest: Digest?
  /// If set and valid sha256, the supplied bytes must have this digest.
  package var expectedCompressedDigest: Digest?
  /// Is told the number of supplied bytes consumed so far, on another thread, about once per MiB.
  package var progress: (@Sendable (UInt64) -> Void)?
  /// Stops the work between two pieces of content.
  package var cancellation: CancellationFlag?
  /// What the uncompressed archive may take, holes counted.
  package var limit: SizeLimit?

  /// Makes a request.
  package init(
    tarSplit: FilePath? = nil, sync: SyncPolicy = .none, flushesTarSplit: Bool = false,
    expectedDiffDigest: Digest? = nil, expectedCompressedDigest: Digest? = nil,
    progress: (@Sendable (UInt64) -> Void)? = nil,
    cancellation: CancellationFlag? = nil, limit: SizeLimit? = nil
  ) {
    self.tarSplit = tarSplit
    self.sync = sync
    self.flushesTarSplit = flushesTarSplit
    self.expectedDiffDigest = expectedDiffDigest
    self.expectedCompressedDigest = expectedCompressedDigest
    self.progress = progress
    self.cancellation = cancellation
    self.limit = limit
  }
}
