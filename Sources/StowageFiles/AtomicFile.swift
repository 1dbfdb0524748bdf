// SPDX-License-Identifier: Apache-2.0
package import StowageModel
package import StowageSystem
package import SystemPackage

/// Replaces whole files so that a reader, or the state after a crash, has the old or the new content, never a mix.
///
/// Steps (on-disk-format 3): `.tmp-<name><number>` in the same directory, write, `fdatasync`, `fchmod`, rename, `fsync`
/// of the directory. A missing directory is created with mode 0700. On any error the temporary file is removed; after a
/// crash it stays until somebody who holds the lock of the files there looks for `.tmp-*`. Files of layers are replaced in
/// a lighter manner: ``replace(_:text:mode:)``.
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
      try write(contents, to: descriptor, path)
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
    let base = path.lastComponent?.string ?? ""
    let file = try createTemporary(mode: 0o600, making: place ?? directory) { number in
      (place ?? directory).appending(".tmp-\(base)\(number)")
    }
    return try complete(file, as: path, mode: mode, sync: sync, write)
  }

  /// Replaces a small file that belongs to a layer, or to a driver, by a text. Nothing is flushed: the layer's record is what
  /// makes such a file valid.
  ///
  /// The temporary file is `<path>.tmp-<number>`, by which a driver knows it after a crash. A missing directory is an error.
  ///
  /// - Parameter mode: permission bits of the new file, subject to the umask.
  /// - Throws: `system`: `open <path>: <reason>`, whichever call failed.
  package static func replace(_ path: FilePath, text: String, mode: UInt32) throws(StorageError) {
    let result: Result<Void, StorageError> = Array(text.utf8).withUnsafeBytes { bytes in
      do throws(StorageError) {
        let file = try createTemporary(mode: mode, making: nil) { number in FilePath("\(path).tmp-\(number)") }
        _ = try complete(file, as: path, mode: nil, sync: false) { (descriptor) throws(StorageError) in
          try write(bytes, to: descriptor, path)
        }
        return .success(())
      } catch { return .failure(error.errno.map { .failed("open", path, $0) } ?? error) }
    }
    try result.get()
  }

  /// Forces a directory's entries to the device. See `fsync(2)`.
  package static func syncDirectory(_ path: FilePath) throws(StorageError) {
    let place = path.isEmpty ? FilePath(".") : path
    try attempt("fsync", place) { () throws(Errno) in
      let descriptor = try Syscall.open(place, [.readOnly, .directory])
      try Syscall.fsync(descriptor.rawValue)
    }
  }

  /// Fills a temporary file and puts it into place, or removes it.
  ///
  /// - Parameter mode: exact permission bits; `nil` leaves those of its creation.
  private static func complete(
    _ file: consuming TemporaryFile, as path: FilePath, mode: UInt32?, sync: Bool,
    _ write: (CInt) throws(StorageError) -> Void
  ) throws(StorageError) -> FileStatus {
    let temporary = file.path
    let descriptor = file.descriptor.rawValue
    do throws(StorageError) {
      try write(descriptor)
      let status = try attempt("sync", temporary) { () throws(Errno) in
        if sync { try Syscall.fdatasync(descriptor) }
        let status = try Syscall.fstat(descriptor)
        if let mode { try Syscall.fchmod(descriptor, mode: mode, .store) }
        return status
      }
      do throws(Errno) { try file.close() } catch { throw .failed("close", temporary, error) }
      do throws(Errno) { try Syscall.rename(temporary, path) } catch { throw .failed("rename", temporary, path, error) }
      if sync { try syncDirectory(path.removingLastComponent()) }
      return status
    } catch {
      try? Syscall.unlink(temporary)
      throw error
    }
  }

  private static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: CInt, _ path: FilePath
  ) throws(StorageError) {
    try attempt("write", path) { () throws(Errno) in
      try SystemHook.step("write", path.string)
      try Syscall.write(descriptor, all: bytes)
    }
  }

  private struct TemporaryFile: ~Copyable {
    let path: FilePath
    let descriptor: OwnedDescriptor
    consuming func close() throws(Errno) { try descriptor.close() }
  }

  /// Makes a file of a new name, to be chosen with the help of a random number.
  ///
  /// - Parameter directory: is made if it is missing; `nil` makes that an error.
  private static func createTemporary(
    mode: UInt32, making directory: FilePath?, _ name: (UInt32) -> FilePath
  ) throws(StorageError) -> TemporaryFile {
    var attempts = 0
    while true {
      let temporary = name(.random(in: .min ... .max))
      do throws(Errno) {
        let descriptor = try Syscall.open(temporary, [.readWrite, .create, .exclusive], mode: mode)
        return TemporaryFile(path: temporary, descriptor: descriptor)
      } catch {
        attempts += 1
        if attempts > 1000 { throw .failed("open", temporary, error) }
        switch (error, directory) {
        case (.fileExists, _): continue
        case (.noSuchFileOrDirectory, let directory?) where attempts < 8: try makeDirectories(directory, mode: 0o700)
        default: throw .failed("open", temporary, error)
        }
      }
    }
  }
}
