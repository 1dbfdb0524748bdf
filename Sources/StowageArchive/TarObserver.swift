// SPDX-License-Identifier: Apache-2.0
package import StowageCompression

/// Sees every byte of the archive that a `TarReader` reads, sorted into content and all else.
///
/// The concatenation of all `raw` and `content` bytes is the archive.
package protocol TarObserver: AnyObject {
  /// Bytes that are not content: headers, PAX data, padding, zero blocks, whatever follows the end of the archive.
  func raw(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError)
  /// An entry begins; its header bytes went to `raw` before. `content` calls follow, then `endEntry`.
  func beginEntry(_ header: TarHeader) throws(ArchiveError)
  /// Content as it is stored in the archive: of a sparse file only the parts that are there.
  func content(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError)
  /// The entry's content is complete.
  func endEntry() throws(ArchiveError)
}
