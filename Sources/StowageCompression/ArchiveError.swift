// SPDX-License-Identifier: Apache-2.0
internal import StowageSystem
package import SystemPackage

/// What went wrong while reading or writing a layer archive.
///
/// `message` is the text a user sees; it equals the reference's where scripts may match it (archive-and-diff 2, 3, 7).
package struct ArchiveError: Error, Sendable, CustomStringConvertible {
  /// The sort of failure. Decide on this, never on the text.
  package enum Kind: Sendable, Hashable {
    /// The input ended in the middle of something.
    case unexpectedEnd
    /// A tar header, or the PAX data of one, is malformed.
    case invalidHeader
    /// A long name, PAX data or sparse map is larger than allowed.
    case fieldTooLong
    /// The archive, or a tar-split file, names one path twice.
    case duplicatePath
    /// File content is not what the tar-split file says.
    case integrity
    /// Compressed data is malformed or fails its check.
    case invalidCompressedData
    /// The input is valid but needs more than the limits of this decoder, or a format that is not written.
    case unsupported
    /// A tar-split file is malformed.
    case invalidTarSplit
    /// A system call failed; see `cause`.
    case system
    /// The work was cancelled.
    case cancelled
    /// A caller's own failure passing through; see `cause`.
    case caller
  }

  /// The sort of failure.
  package let kind: Kind
  /// The text shown to the user.
  package let message: String
  /// The failure underneath: what a caller's closure raised, the `Errno` of a failed system call.
  package let cause: (any Error)?

  /// Makes an error from its parts.
  package init(_ kind: Kind, _ message: String, cause: (any Error)? = nil) {
    self.kind = kind
    self.message = message
    self.cause = cause
  }

  package var description: String { message }

  /// The input ended too early.
  package static var unexpectedEnd: ArchiveError { ArchiveError(.unexpectedEnd, "unexpected EOF") }
  /// A tar header is malformed.
  package static var invalidHeader: ArchiveError { ArchiveError(.invalidHeader, "archive/tar: invalid tar header") }
  /// A long name or PAX data is above 1 MiB.
  package static var fieldTooLong: ArchiveError {
    ArchiveError(.fieldTooLong, "archive/tar: header field too long")
  }
  /// A sparse map is above its limits.
  package static var sparseMapTooLong: ArchiveError {
    ArchiveError(.fieldTooLong, "archive/tar: sparse map too long")
  }
  /// One path is named twice.
  package static var duplicatePath: ArchiveError {
    ArchiveError(.duplicatePath, "duplicates of file paths not supported")
  }
  /// Somebody called `cancel()`.
  package static var cancelled: ArchiveError { ArchiveError(.cancelled, "operation cancelled") }

  /// A failed system call, such as `write: no space left on device`.
  package static func system(_ call: String, _ error: Errno) -> ArchiveError {
    ArchiveError(.system, "\(call): \(error.referenceText)", cause: error)
  }
}
