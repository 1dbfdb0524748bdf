// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// Looks before a large file whether it can fit, so that an archive that cannot does not fill the disk first.
struct SpaceCheck {
  /// Smaller files are not worth the call.
  private static let leastSize: Int64 = 16 << 20

  private let directory: CInt
  /// Where files are compressed on the way to the disk, sizes say nothing.
  private let isUseful: Bool

  /// Looks at the file system of an open directory, which must stay open.
  init(_ directory: CInt) {
    self.directory = directory
    // What cannot be asked is told by the writes.
    isUseful = (try? Syscall.fstatfs(directory))?.isBtrfs == false
  }

  /// Fails if less is free than a file takes.
  ///
  /// - Throws: `system`, `ENOSPC`.
  func look(before header: TarHeader) throws(StorageError) {
    guard isUseful, header.kind == .regular, !header.isSparse, header.size >= Self.leastSize else { return }
    // The same here.
    guard let info = try? Syscall.fstatfs(directory) else { return }
    let (free, overflow) = Int64(clamping: info.freeBlocks).multipliedReportingOverflow(
      by: Int64(clamping: info.blockSize))
    guard !overflow, header.size > free else { return }
    throw StorageError(
      .system,
      "write \(displayPath(header.name)): no space left on device: the file has \(header.size) bytes, \(free) are free",
      path: displayPath(header.name), cause: Errno.noSpace)
  }
}
