// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import SystemPackage

/// Extended attributes. See `xattr(7)`.
///
/// Values are bytes, at most 64 KiB. A missing attribute is nil, not an error; `ENOTSUP` is an error.
extension Syscall {
  /// The value of an attribute of an open file (not of an `O_PATH` handle). See `fgetxattr(2)`.
  package static func fgetxattr(_ descriptor: CInt, _ name: UnsafePointer<CChar>) throws(Errno) -> [UInt8]? {
    try readValue { stowage_fgetxattr(descriptor, name, $0, $1) }
  }

  /// The value of an attribute at a host path, of a symbolic link itself. See `lgetxattr(2)`.
  package static func lgetxattr(_ path: FilePath, _ name: UnsafePointer<CChar>) throws(Errno) -> [UInt8]? {
    try path.withCString { (path) throws(Errno) in try readValue { stowage_lgetxattr(path, name, $0, $1) } }
  }

  /// The value of an attribute of `entry` in a directory, of a symbolic link itself; through `/proc/self/fd`.
  package static func getxattrat(
    _ directory: CInt, _ entry: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>
  ) throws(Errno) -> [UInt8]? {
    try withProcPath(directory, entry) { (path) throws(Errno) in
      try readValue { stowage_lgetxattr(path, name, $0, $1) }
    }
  }

  /// The attribute names of an open file. See `flistxattr(2)`.
  package static func flistxattr(_ descriptor: CInt) throws(Errno) -> [[UInt8]] {
    try readNames { stowage_flistxattr(descriptor, $0, $1) }
  }

  /// The attribute names at a host path, of a symbolic link itself. See `llistxattr(2)`.
  package static func llistxattr(_ path: FilePath) throws(Errno) -> [[UInt8]] {
    try path.withCString { (path) throws(Errno) in try readNames { stowage_llistxattr(path, $0, $1) } }
  }

  /// The attribute names of `entry` in a directory, of a symbolic link itself; through `/proc/self/fd`.
  package static func listxattrat(_ directory: CInt, _ entry: UnsafePointer<CChar>) throws(Errno) -> [[UInt8]] {
    try withProcPath(directory, entry) { (path) throws(Errno) in
      try readNames { stowage_llistxattr(path, $0, $1) }
    }
  }

  /// Sets an attribute of an open file. See `fsetxattr(2)`.
  package static func fsetxattr(
    _ descriptor: CInt, _ name: UnsafePointer<CChar>, _ value: UnsafeRawBufferPointer, mode: XattrMode = .any
  ) throws(Errno) {
    try SystemHook.step("fsetxattr", name.text, .layer)
    try checked { stowage_fsetxattr(descriptor, name, value.baseAddress, value.count, mode.rawValue) }
  }

  /// Sets an attribute at a host path, of a symbolic link itself. See `lsetxattr(2)`.
  package static func lsetxattr(
    _ path: FilePath, _ name: UnsafePointer<CChar>, _ value: [UInt8], mode: XattrMode = .any
  ) throws(Errno) {
    try SystemHook.step("lsetxattr", path.string)
    try path.withCString { (path) throws(Errno) in
      _ = try checked { stowage_lsetxattr(path, name, value, value.count, mode.rawValue) }
    }
  }

  /// Sets an attribute of `entry` in a directory, of a symbolic link itself; through `/proc/self/fd`.
  package static func setxattrat(
    _ directory: CInt, _ entry: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>, _ value: UnsafeRawBufferPointer,
    mode: XattrMode = .any
  ) throws(Errno) {
    try SystemHook.step("setxattrat", entry.text, .layer)
    try withProcPath(directory, entry) { (path) throws(Errno) in
      _ = try checked { stowage_lsetxattr(path, name, value.baseAddress, value.count, mode.rawValue) }
    }
  }

  /// Lends the path `/proc/self/fd/<directory>/<entry>` (just the descriptor's link if the entry is empty).
  package static func withProcPath<R>(
    _ directory: CInt, _ entry: UnsafePointer<CChar>, _ body: (UnsafePointer<CChar>) throws(Errno) -> R
  ) throws(Errno) -> R {
    let length = strlen(entry)
    if directory == AT_FDCWD || entry[0] == 0x2f { return try body(entry) }
    let result: Result<R, Errno> = withUnsafeTemporaryAllocation(of: CChar.self, capacity: length + 32) { buffer in
      guard let base = buffer.baseAddress else { return .failure(.noMemory) }
      var end = 0
      for byte in "/proc/self/fd/".utf8 {
        buffer[end] = CChar(bitPattern: byte)
        end += 1
      }
      for byte in String(directory).utf8 {
        buffer[end] = CChar(bitPattern: byte)
        end += 1
      }
      if length > 0 {
        buffer[end] = 0x2f
        end += 1
        memcpy(base + end, entry, length)
        end += length
      }
      buffer[end] = 0
      do throws(Errno) { return .success(try body(UnsafePointer(base))) } catch { return .failure(error) }
    }
    return try result.get()
  }

  private static func readValue(
    _ call: (UnsafeMutableRawPointer?, Int) -> Int
  ) throws(Errno) -> [UInt8]? {
    // Most values are a few bytes; a second call is needed only for long ones.
    var capacity = 256
    while true {
      var failure: Errno?
      let size = capacity
      let value = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
        let count = call(buffer.baseAddress.map { UnsafeMutableRawPointer($0) }, size)
        if count < 0 { failure = currentErrno() }
        filled = max(0, count)
      }
      switch failure {
      case nil: return value
      case .some(.noData): return nil
      case .some(.outOfRange) where capacity < 65536: capacity = 65536
      case .some(let error): throw error
      }
    }
  }

  private static func readNames(_ call: (UnsafeMutablePointer<CChar>?, Int) -> Int) throws(Errno) -> [[UInt8]] {
    var capacity = 512
    while true {
      var failure: Errno?
      var names: [[UInt8]] = []
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
        let count = call(buffer.baseAddress, buffer.count)
        if count < 0 {
          failure = currentErrno()
        } else if count > 0 {
          names = buffer[..<count].split(separator: 0).map { $0.map { UInt8(bitPattern: $0) } }
        }
      }
      switch failure {
      case nil: return names
      case .some(.outOfRange) where capacity < 65536: capacity = 65536
      case .some(let error): throw error
      }
    }
  }
}
