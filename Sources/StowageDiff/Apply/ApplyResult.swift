// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// What one application of a layer archive is recorded with (archive-and-diff 6).
package struct ApplyResult: Sendable, Hashable {
  /// sha256 of the bytes as supplied, all of them to the end.
  package var compressedDigest: Digest
  /// Number of bytes supplied.
  package var compressedSize: Int64
  /// sha256 of the decompressed bytes, those after the end-of-archive mark included. The diffID.
  package var diffDigest: Digest
  /// Number of decompressed bytes.
  package var diffSize: Int64
  /// How the supplied bytes were compressed.
  package var compression: Compression
  /// Distinct user IDs of the headers, before mapping, ascending; whiteouts do not count.
  package var uidSet: [UInt32]
  /// Distinct group IDs likewise.
  package var gidSet: [UInt32]
  /// What the driver reports as the size of the content, in bytes: for overlay and literal whiteouts the disk usage of
  /// the tree (``diskUsage(of:)``), for plain trees the sum of the sizes in the headers. Source: archive-and-diff 9.4.
  package var contentSize: Int64
  /// Paths of the directories that the archive has no entry for, parents first; see ``adoptDirectories(_:in:from:attributes:flushes:)``.
  package var impliedDirectories: [[UInt8]] = []

  /// Makes a result.
  package init(
    compressedDigest: Digest, compressedSize: Int64, diffDigest: Digest, diffSize: Int64, compression: Compression,
    uidSet: [UInt32], gidSet: [UInt32], contentSize: Int64
  ) {
    self.compressedDigest = compressedDigest
    self.compressedSize = compressedSize
    self.diffDigest = diffDigest
    self.diffSize = diffSize
    self.compression = compression
    self.uidSet = uidSet
    self.gidSet = gidSet
    self.contentSize = contentSize
  }
}

/// The `cause` of every error of ``applyLayer(from:to:options:request:)``: where it arose, so that a driver can word it as the
/// reference does (archive-and-diff 11.1).
package struct ApplyFailure: Error, Sendable, CustomStringConvertible {
  /// Which stage failed.
  package enum Origin: Hashable, Sendable {
    /// Creating an object; the reference's helper process says so and the input is fine.
    case entry
    /// The tar itself is malformed: the helper fails, and draining the input fails with the same text.
    case archive
    /// The decoder, the tar-split file or the reading of the input: the helper has nothing to say.
    case stream
  }

  /// Which stage failed.
  package let origin: Origin
  /// The failure below it, for instance an `Errno`.
  package let underlying: (any Error)?

  /// Makes a cause.
  package init(origin: Origin, underlying: (any Error)? = nil) {
    self.origin = origin
    self.underlying = underlying
  }

  /// The underlying failure's text.
  package var description: String { underlying.map { "\($0)" } ?? "\(origin)" }
}
