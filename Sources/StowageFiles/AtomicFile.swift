// SPDX-License-Identifier: Apache-2.0
package import StowageModel
package import StowageSystem
package import SystemPackage

/// How much of a replaced file is on the device when the replacement returns.
package enum Durability: Sendable {
  /// Content and name: the new file survives a power cut.
  case full
  /// The content: a power cut leaves the old or the new file. Its name is made durable later, or the old file will do.
  case content
  /// Nothing: for files that do not outlive the machine, or whose loss is tolerated.
  case none
}

/// Replaces whole files so that a reader, or the state after a crash, has the old or the new content, never a mix.
///
/// Steps (on-disk-format 3): `.tmp-<name><number>` in the same directory, write, `fchmod`, `fdatasync`, rename, `fsync`
/// of the directory. A missing directory is created with mode 0700. On any error the temporary file is removed; after a
/// crash it stays until somebody who holds the lock of the files there looks for `.tmp-*`. Files of layers are replaced in
/// a lighter manner: ``replace(_:isFlushed:)``.
package enum AtomicFile {
  /// Replaces `path` by the given bytes.
  ///
  /// - Parameters:
  ///   - mode: permission bits of the new file, not subject to the umask.
  ///   - durability: what is on the device afterwards.
  ///   - place: where the temporary file is made, if not beside `path`; on the same file system.
  /// - Returns: the new file's metadata; its modification time and inode are those under the final name.
  /// - Throws: `system` with the failed call.
  @discardableResult
  package static func replace(
    _ path: FilePath, contents: UnsafeRawBufferPointer, mode: UInt32 = 0o600, durability: Durability,
    stagedIn place: FilePath? = nil
  ) throws(StorageError) -> FileStatus {
    try replace(path, mode: mode, durability: durability, stagedIn: place) { (descriptor) throws(StorageError) in
      try write(contents, to: descriptor, path)
    }
  }

  /// Replaces `path` by the given bytes.
  @discardableResult
  package static func replace(
    _ path: FilePath, contents: [UInt8], mode: UInt32 = 0o600, durability: Durability, stagedIn place: FilePath? = nil
  ) throws(StorageError) -> FileStatus {
    let result: Result<FileStatus, StorageError> = contents.withUnsafeBytes { bytes in
      do throws(StorageError) {
        return .success(try replace(path, contents: bytes, mode: mode, durability: durability, stagedIn: place))
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// Replaces `path` by what `write` writes to the descriptor it is lent.
  @discardableResult
  package static func replace(
    _ path: FilePath, mode: UInt32 = 0o600, durability: Durability, stagedIn place: FilePath? = nil,
    write: (CInt) throws(StorageError) -> Void
  ) throws(StorageError) -> FileStatus {
    let directory = path.removingLastComponent()
    let isDurable = durability != .none
    if place != nil { try makeDirectories(directory, mode: 0o700, isDurable: isDurable) }
    let base = path.lastComponent?.string ?? ""
    let file = try createTemporary(mode: 0o600, making: place ?? directory, isDurable: isDurable) { number in
      (place ?? directory).appending(".tmp-\(base)\(number)")
    }
    return try complete(file, as: path, mode: mode, durability, write)
  }

  /// A small file that belongs to a layer, or to a driver.
  package struct SmallFile: Sendable {
    let path: FilePath
    let text: String
    let mode: UInt32

    /// - Parameter mode: permission bits of the new file, subject to the umask.
    package init(_ path: FilePath, text: String, mode: UInt32) {
      self.path = path
      self.text = text
      self.mode = mode
    }
  }

  /// Replaces small files of a layer. Their content is on the device before they get their names; the names are made durable
  /// by whoever vouches for the layer.
  ///
  /// The temporary files are `<path>.tmp-<number>`, by which a driver knows them after a crash. A missing directory is an
  /// error. All are written before the first is flushed, so that the flushes share their work.
  ///
  /// - Throws: `system`: `open <path>: <reason>`, whichever call failed.
  package static func replace(_ files: [SmallFile], isFlushed: Bool = true) throws(StorageError) {
    var written: [(temporary: FilePath, path: FilePath)] = []
    do throws(StorageError) {
      for file in files { written.append((try writeTemporary(file, isFlushed: isFlushed), file.path)) }
      for (temporary, path) in written {
        try attempt("open", path) { () throws(Errno) in
          if isFlushed {
            let descriptor = try Syscall.open(temporary, [.readOnly, .noFollow])
            try Syscall.fdatasync(descriptor.rawValue)
          }
          try Syscall.rename(temporary, path)
        }
      }
    } catch {
      // What was renamed is not there any more.
      for (temporary, _) in written { try? Syscall.unlink(temporary) }
      throw error
    }
  }

  /// Replaces one small file. Without a flush a power cut may tear it: for files that are made again if need be.
  package static func replace(
    _ path: FilePath, text: String, mode: UInt32, isFlushed: Bool = true
  ) throws(StorageError) {
    try replace([SmallFile(path, text: text, mode: mode)], isFlushed: isFlushed)
  }

  /// Writes a temporary file, whose way to the device begins.
  private static func writeTemporary(_ file: SmallFile, isFlushed: Bool) throws(StorageError) -> FilePath {
    let result: Result<FilePath, StorageError> = Array(file.text.utf8).withUnsafeBytes { bytes in
      do throws(StorageError) {
        let made = try createTemporary(mode: file.mode, making: nil, isDurable: true) { number in
          FilePath("\(file.path).tmp-\(number)")
        }
        let path = made.path
        do throws(StorageError) {
          try write(bytes, to: made.descriptor.rawValue, file.path)
          if isFlushed { Syscall.startWriting(made.descriptor.rawValue) }
        } catch {
          // What cannot be removed is found as a stale file.
          try? Syscall.unlink(path)
          throw error
        }
        return .success(path)
      } catch { return .failure(error.errno.map { .failed("open", file.path, $0) } ?? error) }
    }
    return try result.get()
  }

  /// Forces directories' entries to the device. See `fsync(2)`.
  package static func syncDirectories(_ paths: [FilePath]) throws(StorageError) {
    for path in paths { try syncDirectory(path) }
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
  private static func complete(
    _ file: consuming TemporaryFile, as path: FilePath, mode: UInt32, _ durability: Durability,
    _ write: (CInt) throws(StorageError) -> Void
  ) throws(StorageError) -> FileStatus {
    let temporary = file.path
    let descriptor = file.descriptor.rawValue
    do throws(StorageError) {
      try write(descriptor)
      let status = try attempt("sync", temporary) { () throws(Errno) in
        let status = try Syscall.fstat(descriptor)
        try Syscall.fchmod(descriptor, mode: mode, .store)
        if durability != .none { try Syscall.fdatasync(descriptor) }
        return status
      }
      do throws(Errno) { try file.close() } catch { throw .failed("close", temporary, error) }
      do throws(Errno) { try Syscall.rename(temporary, path) } catch { throw .failed("rename", temporary, path, error) }
      if durability == .full { try syncDirectory(path.removingLastComponent()) }
      return status
    } catch {
      // What cannot be removed is found as a stale file.
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
    mode: UInt32, making directory: FilePath?, isDurable: Bool, _ name: (UInt32) -> FilePath
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
        case (.noSuchFileOrDirectory, let directory?) where attempts < 8:
          try makeDirectories(directory, mode: 0o700, isDurable: isDurable)
        default: throw .failed("open", temporary, error)
        }
      }
    }
  }
}
