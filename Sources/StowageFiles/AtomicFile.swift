// SPDX-License-Identifier: Apache-2.0
package import StowageModel
package import StowageSystem
package import SystemPackage

/// Replaces whole files so that a reader, or the state after a crash, has the old or the new content, never a mix.
///
/// Steps (on-disk-format 3): `.tmp-<name><number>` in the same directory, write, `fdatasync`, `fchmod`, rename, `fsync`
/// of the directory. A missing directory is created with mode 0700. On any error the temporary file is removed; after a
/// crash it stays until somebody who holds the lock of the files there looks for `.tmp-*`.
package enum AtomicFile {
  /// Replaces `path` by the given bytes.
  ///
  /// - Parameters:
  ///   - mode: permission bits of the new file, not subject to the umask.
  ///   - sync: false for volatile documents: content and directory are not forced to the device.
  ///   - place: where the temporary file is made, if not beside `path`; on the same file system.
  /// - Returns: the new file's metadata; its modification time and inode are those under the final name.
  /// - Throws: `system` with the failed call.
  @discardableResult
  package static func replace(
    _ path: FilePath, contents: UnsafeRawBufferPointer, mode: UInt32 = 0o600, sync: Bool,
    stagedIn place: FilePath? = nil
  ) throws(StorageError) -> FileStatus {
    try replace(path, mode: mode, sync: sync, stagedIn: place) { (descriptor) throws(StorageError) in
      try attempt("write", path) { () throws(Errno) in
        try SystemHook.step("write", path.string)
        try Syscall.write(descriptor, all: contents)
      }
    }
  }

  /// Replaces `path` by the given bytes.
  @discardableResult
  package static func replace(
    _ path: FilePath, contents: [UInt8], mode: UInt32 = 0o600, sync: Bool, stagedIn place: FilePath? = nil
  ) throws(StorageError) -> FileStatus {
    let result: Result<FileStatus, StorageError> = contents.withUnsafeBytes { bytes in
      do throws(StorageError) {
        return .success(try replace(path, contents: bytes, mode: mode, sync: sync, stagedIn: place))
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// Replaces `path` by what `write` writes to the descriptor it is lent.
  @discardableResult
  package static func replace(
    _ path: FilePath, mode: UInt32 = 0o600, sync: Bool, stagedIn place: FilePath? = nil,
    write: (CInt) throws(StorageError) -> Void
  ) throws(StorageError) -> FileStatus {
    let directory = path.removingLastComponent()
    if place != nil { try makeDirectories(directory, mode: 0o700) }
    let file = try createTemporary(for: path, in: place ?? directory)
    let temporary = file.path
    let descriptor = file.descriptor.rawValue
    do throws(StorageError) {
      try write(descriptor)
      let status = try attempt("sync", temporary) { () throws(Errno) in
        if sync { try Syscall.fdatasync(descriptor) }
        let status = try Syscall.fstat(descriptor)
        try Syscall.fchmod(descriptor, mode: mode, .store)
        return status
      }
      do throws(Errno) { try file.close() } catch { throw .failed("close", temporary, error) }
      do throws(Errno) { try Syscall.rename(temporary, path) } catch { throw .failed("rename", temporary, path, error) }
      if sync { try syncDirectory(directory) }
      return status
    } catch {
      try? Syscall.unlink(temporary)
      throw error
    }
  }

  /// Forces a directory's entries to the device. See `fsync(2)`.
  package static func syncDirectory(_ path: FilePath) throws(StorageError) {
    let place = path.isEmpty ? FilePath(".") : path
    try attempt("fsync", place) { () throws(Errno) in
      let descriptor = try Syscall.open(place, [.readOnly, .directory])
      try Syscall.fsync(descriptor.rawValue)
    }
  }

  private struct TemporaryFile: ~Copyable {
    let path: FilePath
    let descriptor: OwnedDescriptor
    consuming func close() throws(Errno) { try descriptor.close() }
  }

  private static func createTemporary(
    for path: FilePath, in directory: FilePath
  ) throws(StorageError) -> TemporaryFile {
    let base = path.lastComponent?.string ?? ""
    var attempts = 0
    while true {
      let temporary = directory.appending(".tmp-\(base)\(UInt32.random(in: .min ... .max))")
      do throws(Errno) {
        let descriptor = try Syscall.open(temporary, [.readWrite, .create, .exclusive], mode: 0o600)
        return TemporaryFile(path: temporary, descriptor: descriptor)
      } catch {
        attempts += 1
        if attempts > 1000 { throw .failed("open", temporary, error) }
        switch error {
        case .fileExists: continue
        case .noSuchFileOrDirectory where attempts < 8: try makeDirectories(directory, mode: 0o700)
        default: throw .failed("open", temporary, error)
        }
      }
    }
  }
}
