// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import SystemPackage

extension Syscall {
  /// Metadata of an open file. See `fstat(2)`.
  package static func fstat(_ descriptor: CInt) throws(Errno) -> FileStatus {
    var status = Glibc.stat()
    try checked { Glibc.fstat(descriptor, &status) }
    return FileStatus(status)
  }

  /// Metadata of a name relative to a descriptor. See `fstatat(2)`.
  package static func fstatat(
    _ directory: CInt, _ name: UnsafePointer<CChar>, flags: AtFlags = .noFollow
  ) throws(Errno) -> FileStatus {
    var status = Glibc.stat()
    try checked { Glibc.fstatat(directory, name, &status, flags.rawValue) }
    return FileStatus(status)
  }

  /// Metadata of a host path; symbolic links are followed. See `stat(2)`.
  package static func stat(_ path: FilePath) throws(Errno) -> FileStatus {
    try path.withCString { (name) throws(Errno) in try fstatat(AT_FDCWD, name, flags: []) }
  }

  /// Metadata of a host path; a symbolic link itself. See `lstat(2)`.
  package static func lstat(_ path: FilePath) throws(Errno) -> FileStatus {
    try path.withCString { (name) throws(Errno) in try fstatat(AT_FDCWD, name, flags: .noFollow) }
  }

  /// Whether something is at a host path; links are not followed, every error counts as "no".
  package static func exists(_ path: FilePath) -> Bool { (try? lstat(path)) != nil }

  /// Mount, creation time and attributes of a name. See `statx(2)`, Linux 4.11.
  package static func statx(
    _ directory: CInt, _ name: UnsafePointer<CChar>, flags: AtFlags = .noFollow
  ) throws(Errno) -> ExtendedStatus {
    var result = stowage_statx()
    let mask = STOWAGE_STATX_BASIC_STATS | STOWAGE_STATX_BTIME | STOWAGE_STATX_MNT_ID
    let bits = flags.rawValue | CInt(STOWAGE_AT_NO_AUTOMOUNT)
    try checked { stowage_statx(directory, name, bits, mask, &result) }
    let knowsMountRoot = result.stx_attributes_mask & STOWAGE_STATX_ATTR_MOUNT_ROOT != 0
    let birth = FileTime(seconds: result.stx_btime.tv_sec, nanoseconds: Int64(result.stx_btime.tv_nsec))
    return ExtendedStatus(
      mountID: result.stx_mask & STOWAGE_STATX_MNT_ID != 0 ? result.stx_mnt_id : nil,
      birthTime: result.stx_mask & STOWAGE_STATX_BTIME != 0 ? birth : nil,
      isMountRoot: knowsMountRoot ? result.stx_attributes & STOWAGE_STATX_ATTR_MOUNT_ROOT != 0 : nil,
      isImmutable: result.stx_attributes & STOWAGE_STATX_ATTR_IMMUTABLE != 0)
  }

  /// Mount, creation time and attributes at a host path; links are not followed. See `statx(2)`.
  package static func statx(_ path: FilePath) throws(Errno) -> ExtendedStatus {
    try path.withCString { (name) throws(Errno) in try statx(AT_FDCWD, name) }
  }

  /// The mount that shows a directory, links followed; `nil` if it cannot be opened, or the kernel does not tell (before 5.8).
  package static func mount(of directory: FilePath) -> UInt64? {
    guard let handle = try? Syscall.open(directory, [.path, .directory]) else { return nil }
    return (try? statx(handle.rawValue, "", flags: .emptyPath))?.mountID
  }

  /// Why this process may not change entries of a directory; `nil` if it may. See `faccessat(2)`.
  package static func obstacle(toWriting path: FilePath) -> Errno? {
    do throws(Errno) {
      try path.withCString { (name) throws(Errno) in
        _ = try checked { Glibc.faccessat(AT_FDCWD, name, W_OK, AT_EACCESS) }
      }
      return nil
    } catch {
      return error
    }
  }

  /// The file system that holds a host path. See `statfs(2)`.
  package static func statfs(_ path: FilePath) throws(Errno) -> FileSystemInfo {
    var info = stowage_statfs()
    try path.withCString { (name) throws(Errno) in _ = try checked { stowage_statfs(name, &info) } }
    return FileSystemInfo(info)
  }

  /// The file system that holds an open file. See `fstatfs(2)`.
  package static func fstatfs(_ descriptor: CInt) throws(Errno) -> FileSystemInfo {
    var info = stowage_statfs()
    try checked { stowage_fstatfs(descriptor, &info) }
    return FileSystemInfo(info)
  }

  /// Sets permission bits of an open file. See `fchmod(2)`.
  package static func fchmod(
    _ descriptor: CInt, mode: UInt32, _ stepClass: StepClass = .layer
  ) throws(Errno) {
    try SystemHook.step("fchmod", "\(descriptor)", stepClass)
    try checked { Glibc.fchmod(descriptor, mode_t(mode)) }
  }

  /// Sets permission bits at a host path; follows symbolic links. See `chmod(2)`.
  package static func chmod(_ path: FilePath, mode: UInt32) throws(Errno) {
    try SystemHook.step("chmod", path.string)
    try path.withCString { (name) throws(Errno) in _ = try checked { Glibc.chmod(name, mode_t(mode)) } }
  }

  /// Sets owner and group of an open file. See `fchown(2)`.
  package static func fchown(
    _ descriptor: CInt, uid: UInt32, gid: UInt32, _ stepClass: StepClass = .layer
  ) throws(Errno) {
    try SystemHook.step("fchown", "\(descriptor)", stepClass)
    try checked { Glibc.fchown(descriptor, uid, gid) }
  }

  /// Sets owner and group of a name, by default of a symbolic link itself. See `fchownat(2)`.
  package static func fchownat(
    _ directory: CInt, _ name: UnsafePointer<CChar>, uid: UInt32, gid: UInt32, flags: AtFlags = .noFollow
  ) throws(Errno) {
    try SystemHook.step("fchownat", name.text, .layer)
    try checked { Glibc.fchownat(directory, name, uid, gid, flags.rawValue) }
  }

  /// Sets owner and group at a host path, of a symbolic link itself. See `lchown(2)`.
  package static func lchown(_ path: FilePath, uid: UInt32, gid: UInt32) throws(Errno) {
    try SystemHook.step("lchown", path.string)
    try path.withCString { (name) throws(Errno) in _ = try checked { Glibc.lchown(name, uid, gid) } }
  }

  /// Sets access and modification time of a name; nil leaves a time alone. See `utimensat(2)`.
  package static func utimensat(
    _ directory: CInt, _ name: UnsafePointer<CChar>, access: FileTime?, modification: FileTime?,
    flags: AtFlags = .noFollow
  ) throws(Errno) {
    var times = (timespec(access), timespec(modification))
    _ = try withUnsafePointer(to: &times) { (pointer) throws(Errno) in
      try pointer.withMemoryRebound(to: timespec.self, capacity: 2) { (pair) throws(Errno) in
        try checked { Glibc.utimensat(directory, name, pair, flags.rawValue) }
      }
    }
  }

  /// Sets access and modification time of an open file; nil leaves a time alone. See `futimens(3)`.
  package static func futimens(_ descriptor: CInt, access: FileTime?, modification: FileTime?) throws(Errno) {
    var times = (timespec(access), timespec(modification))
    _ = try withUnsafePointer(to: &times) { (pointer) throws(Errno) in
      try pointer.withMemoryRebound(to: timespec.self, capacity: 2) { (pair) throws(Errno) in
        try checked { Glibc.futimens(descriptor, pair) }
      }
    }
  }
}

extension timespec {
  /// The kernel's form of a time; nil means "leave unchanged" (`UTIME_OMIT`).
  init(_ time: FileTime?) {
    self.init()
    if let time {
      tv_sec = time_t(time.seconds)
      tv_nsec = CLong(time.nanoseconds)
    } else {
      tv_nsec = (1 << 30) - 2
    }
  }
}
