// SPDX-License-Identifier: Apache-2.0
package import StowageModel
package import StowageSystem
package import SystemPackage

/// Opening the files of a store that must be regular files: records, locks, tar-split files, links and lists of the driver.
///
/// Whoever can write into a store could put a FIFO there, at which the opener waits for ever, a device, to which opening may do
/// something, or a symbolic link to a file of somebody else. So nothing is followed, waited for, or opened to find out.
package enum StoreFile {
  /// Opens a file of a store; with `.create` a missing one is made.
  ///
  /// - Throws: `corrupt` if something else is in its place; `system` with the call `open`.
  package static func open(
    _ path: FilePath, _ flags: OpenFlags = .readOnly, mode: UInt32 = 0
  ) throws(StorageError) -> OwnedDescriptor {
    // What cannot be looked at is told by the call that was wanted.
    if let found = try? Syscall.lstat(path) { try checkKind(found, path) }
    let file = try attempt("open", path) { () throws(Errno) in
      try Syscall.open(path, flags.union([.noFollow, .nonBlocking]), mode: mode)
    }
    // It may have been exchanged meanwhile.
    try checkKind(try attempt("stat", path) { () throws(Errno) in try Syscall.fstat(file.rawValue) }, path)
    return file
  }

  /// The whole content of a file of a store.
  ///
  /// - Parameter limit: bytes after which `EFBIG` is the cause of the error.
  package static func read(_ path: FilePath, limit: Int = .max) throws(StorageError) -> [UInt8] {
    let file = try open(path)
    return try attempt("read", path) { () throws(Errno) in try Syscall.readAll(file.rawValue, limit: limit) }
  }

  /// Refuses what is no regular file.
  private static func checkKind(_ status: FileStatus, _ path: FilePath) throws(StorageError) {
    let kind =
      switch status.kind {
      case .regular, .unknown: nil as String?
      case .directory: "directory"
      case .symbolicLink: "symbolic link"
      case .fifo: "FIFO"
      case .socket: "socket"
      case .characterDevice, .blockDevice: "device"
      }
    guard let kind else { return }
    throw StorageError(
      .corrupt, "open \(path): a \(kind) is in the place of the file: remove it, or put the file back",
      path: path.string,
      cause: status.isDirectory ? Errno.isDirectory : status.kind == .symbolicLink ? .tooManySymbolicLinkLevels : nil)
  }
}
