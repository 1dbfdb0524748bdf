// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import SystemPackage

extension Syscall {
  /// Creates a directory. See `mkdirat(2)`.
  package static func mkdirat(_ directory: CInt, _ name: UnsafePointer<CChar>, mode: UInt32) throws(Errno) {
    try SystemHook.step("mkdirat", name.text, .layer)
    try checked { Glibc.mkdirat(directory, name, mode_t(mode)) }
    SystemTrace.done("mkdir", directory, name)
  }

  /// Creates a directory at a host path. See `mkdir(2)`.
  package static func mkdir(_ path: FilePath, mode: UInt32) throws(Errno) {
    try SystemHook.step("mkdir", path.string)
    try path.withCString { (name) throws(Errno) in _ = try checked { Glibc.mkdir(name, mode_t(mode)) } }
    SystemTrace.done("mkdir", path)
  }

  /// Creates a device, FIFO, socket or empty file. See `mknodat(2)`.
  package static func mknodat(
    _ directory: CInt, _ name: UnsafePointer<CChar>, mode: UInt32, device: UInt64
  ) throws(Errno) {
    try SystemHook.step("mknodat", name.text, .layer)
    try checked { Glibc.mknodat(directory, name, mode_t(mode), dev_t(device)) }
    SystemTrace.done("mknod", directory, name)
  }

  /// Creates a device, FIFO, socket or empty file at a host path. See `mknod(2)`.
  package static func mknod(_ path: FilePath, mode: UInt32, device: UInt64) throws(Errno) {
    try SystemHook.step("mknod", path.string)
    try path.withCString { (name) throws(Errno) in
      _ = try checked { Glibc.mknod(name, mode_t(mode), dev_t(device)) }
    }
    SystemTrace.done("mknod", path)
  }

  /// Creates a symbolic link with the given target bytes. See `symlinkat(2)`.
  package static func symlinkat(
    target: UnsafePointer<CChar>, _ directory: CInt, _ name: UnsafePointer<CChar>
  ) throws(Errno) {
    try SystemHook.step("symlinkat", name.text, .layer)
    try checked { Glibc.symlinkat(target, directory, name) }
    SystemTrace.done("symlink", directory, name)
  }

  /// Creates a symbolic link at a host path. See `symlink(2)`.
  package static func symlink(target: String, at path: FilePath) throws(Errno) {
    try SystemHook.step("symlink", path.string)
    try path.withCString { (name) throws(Errno) in _ = try checked { Glibc.symlink(target, name) } }
    SystemTrace.linked(target, at: path)
  }

  /// Creates a hard link. See `linkat(2)`.
  package static func linkat(
    _ oldDirectory: CInt, _ oldName: UnsafePointer<CChar>, _ newDirectory: CInt, _ newName: UnsafePointer<CChar>,
    flags: AtFlags = []
  ) throws(Errno) {
    try SystemHook.step("linkat", newName.text, .layer)
    try checked { Glibc.linkat(oldDirectory, oldName, newDirectory, newName, flags.rawValue) }
    SystemTrace.done("link", newDirectory, newName)
  }

  /// Creates a hard link between host paths. See `link(2)`.
  package static func link(_ old: FilePath, _ new: FilePath) throws(Errno) {
    try SystemHook.step("link", new.string)
    try old.withCString { (oldName) throws(Errno) in
      try new.withCString { (newName) throws(Errno) in _ = try checked { Glibc.link(oldName, newName) } }
    }
    SystemTrace.done("link", new)
  }

  /// Removes a name; with `.removeDirectory` an empty directory. See `unlinkat(2)`.
  package static func unlinkat(
    _ directory: CInt, _ name: UnsafePointer<CChar>, flags: AtFlags = []
  ) throws(Errno) {
    try SystemHook.step("unlinkat", name.text, .layer)
    try checked { Glibc.unlinkat(directory, name, flags.rawValue) }
    SystemTrace.done("unlink", directory, name)
  }

  /// Removes a host path that is not a directory. See `unlink(2)`.
  package static func unlink(_ path: FilePath) throws(Errno) {
    try SystemHook.step("unlink", path.string)
    try path.withCString { (name) throws(Errno) in _ = try checked { Glibc.unlink(name) } }
    SystemTrace.done("unlink", path)
  }

  /// Removes an empty directory at a host path. See `rmdir(2)`.
  package static func rmdir(_ path: FilePath) throws(Errno) {
    try SystemHook.step("rmdir", path.string)
    try path.withCString { (name) throws(Errno) in _ = try checked { Glibc.rmdir(name) } }
    SystemTrace.done("unlink", path)
  }

  /// Renames relative to directory descriptors. See `renameat2(2)`.
  package static func renameat2(
    _ oldDirectory: CInt, _ oldName: UnsafePointer<CChar>, _ newDirectory: CInt, _ newName: UnsafePointer<CChar>,
    flags: RenameFlags = []
  ) throws(Errno) {
    try SystemHook.step("renameat2", newName.text, .layer)
    try checked { stowage_renameat2(oldDirectory, oldName, newDirectory, newName, flags.rawValue) }
    SystemTrace.renamed(oldDirectory, oldName, newDirectory, newName)
  }

  /// Renames a host path. See `renameat2(2)`.
  package static func rename(_ old: FilePath, _ new: FilePath, flags: RenameFlags = []) throws(Errno) {
    try SystemHook.step("rename", "\(old.string) \(new.string)")
    let before = SystemTrace.recordContent(new)
    try old.withCString { (oldName) throws(Errno) in
      try new.withCString { (newName) throws(Errno) in
        _ = try checked { stowage_renameat2(AT_FDCWD, oldName, AT_FDCWD, newName, flags.rawValue) }
      }
    }
    SystemTrace.renamed(old, new, before: before)
  }

  /// The bytes of a symbolic link's target. See `readlinkat(2)`.
  package static func readlinkat(_ directory: CInt, _ name: UnsafePointer<CChar>) throws(Errno) -> [UInt8] {
    // Linux limits targets to 4095 bytes (PATH_MAX).
    var capacity = 256
    while true {
      var failure: Errno?
      let size = capacity
      let target = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
        let count = UnsafeMutableRawBufferPointer(buffer).withMemoryRebound(to: CChar.self) { characters in
          guard let base = characters.baseAddress else { return 0 }
          return Glibc.readlinkat(directory, name, base, size)
        }
        if count < 0 { failure = currentErrno() }
        filled = max(0, count)
      }
      if let failure { throw failure }
      if target.count < capacity { return target }
      capacity *= 4
    }
  }

  /// The bytes of the target of a symbolic link at a host path. See `readlink(2)`.
  package static func readlink(_ path: FilePath) throws(Errno) -> [UInt8] {
    try path.withCString { (name) throws(Errno) in try readlinkat(AT_FDCWD, name) }
  }
}
