// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageSystem
import SystemPackage

/// Files that the command line names: input and output beside the store.
enum HostFile {
  /// Opens a file for reading.
  ///
  /// - Throws: `open PATH: TEXT`, as the reference words it.
  static func openForReading(_ path: String) throws(StorageError) -> FileDescriptor {
    try attempt("open", path) { () throws in
      try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
    }
  }

  /// Creates a file, or empties it, for writing; mode 0666 less the umask.
  static func openForWriting(_ path: String) throws(StorageError) -> FileDescriptor {
    try attempt("open", path) { () throws in
      try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite])
    }
  }

  /// The whole content of a file.
  static func contents(of path: String) throws(StorageError) -> [UInt8] {
    let file = try openForReading(path)
    defer { try? file.close() }
    return try contents(of: file, name: path)
  }

  /// All that can still be read from an open file.
  ///
  /// - Parameter name: what errors call the file.
  static func contents(of file: FileDescriptor, name: String) throws(StorageError) -> [UInt8] {
    var bytes: [UInt8] = []
    let chunk = 64 * 1024
    var count = 0
    repeat {
      let part = try attempt("read", name) { () throws in
        try [UInt8](unsafeUninitializedCapacity: chunk) { buffer, initialized in
          initialized = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
      }
      count = part.count
      bytes += part
    } while count > 0
    return bytes
  }

  /// Writes all bytes and closes the file, so that an error of the close is seen too.
  static func write(_ bytes: [UInt8], to path: String) throws(StorageError) {
    let file = try openForWriting(path)
    do {
      try file.writeAll(bytes)
    } catch {
      // The error of writing is told.
      try? file.close()
      throw failure("write", path, error)
    }
    try close(file, name: path)
  }

  /// Closes a file that was written to.
  static func close(_ file: FileDescriptor, name: String) throws(StorageError) {
    try attempt("close", name) { () throws in try file.close() }
  }

  private static func attempt<R>(
    _ operation: String, _ path: String, _ body: () throws -> R
  ) throws(StorageError) -> R {
    do {
      return try body()
    } catch {
      throw failure(operation, path, error)
    }
  }

  private static func failure(_ operation: String, _ path: String, _ error: any Error) -> StorageError {
    let text = (error as? Errno)?.referenceText ?? "\(error)"
    return StorageError(.system, "\(operation) \(path): \(text)", path: path, cause: error)
  }
}
