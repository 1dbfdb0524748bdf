// SPDX-License-Identifier: Apache-2.0

internal import StowageSystem
package import SystemPackage

/// What tells one version of a record file from another: files are replaced by rename, never changed in place.
///
/// The reference looks at the modification time only; inode and size close its gap on coarse clocks
/// (store-semantics 27.1.25).
package struct FileSignature: Hashable, Sendable {
  let device: UInt64
  let inode: UInt64
  /// Bytes of the file.
  package let size: Int64
  let modified: FileTime

  init(_ status: FileStatus) {
    device = status.device
    inode = status.inode
    size = status.size
    modified = status.modificationTime
  }

  /// Which file it is, whatever its content.
  package struct Identity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64

    /// The identity of the file at `path`; `nil` if there is none, or none that can be examined: that is not the same file.
    package static func of(_ path: FilePath) -> Identity? {
      (try? Syscall.stat(path)).map { Identity(device: $0.device, inode: $0.inode) }
    }
  }

  /// The signature of the file at `path`; `nil` if there is none, or none that can be examined: then reading it tells why.
  package static func of(_ path: FilePath) -> FileSignature? {
    (try? Syscall.stat(path)).map(FileSignature.init)
  }
}
