// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import SystemPackage

extension Syscall {
  /// Opens a name relative to a directory descriptor, close-on-exec. See `openat(2)`.
  package static func openat(
    _ directory: CInt, _ name: UnsafePointer<CChar>, _ flags: OpenFlags, mode: UInt32 = 0
  ) throws(Errno) -> OwnedDescriptor {
    if !flags.isDisjoint(with: [.create, .truncate]) { try SystemHook.step("openat", name.text, .layer) }
    let file = OwnedDescriptor(owning: try openRaw(directory, name, flags, mode))
    if flags.contains(.create) { SystemTrace.done("create", directory, name) }
    return file
  }

  /// Opens a host path, close-on-exec. See `open(2)`.
  package static func open(_ path: FilePath, _ flags: OpenFlags, mode: UInt32 = 0) throws(Errno) -> OwnedDescriptor {
    if !flags.isDisjoint(with: [.create, .truncate]) { try SystemHook.step("open", path.string) }
    let file = OwnedDescriptor(
      owning: try path.withCString { (name) throws(Errno) in try openRaw(AT_FDCWD, name, flags, mode) })
    if flags.contains(.create) { SystemTrace.done("create", path) }
    return file
  }

  /// Opens a name with the kernel's path restrictions. See `openat2(2)`, Linux 5.6.
  ///
  /// `EAGAIN` (a rename raced with the walk) is retried.
  package static func openat2(
    _ directory: CInt, _ name: UnsafePointer<CChar>, _ flags: OpenFlags, mode: UInt32 = 0, resolve: ResolveFlags
  ) throws(Errno) -> OwnedDescriptor {
    if !flags.isDisjoint(with: [.create, .truncate]) { try SystemHook.step("openat2", name.text, .layer) }
    let bits = UInt64(UInt32(bitPattern: flags.rawValue | O_CLOEXEC))
    var attempts = 0
    while true {
      do throws(Errno) {
        let descriptor = try checked { stowage_openat2(directory, name, bits, UInt64(mode), resolve.rawValue) }
        if flags.contains(.create) { SystemTrace.done("create", descriptor) }
        return OwnedDescriptor(owning: descriptor)
      } catch {
        attempts += 1
        if error != .resourceTemporarilyUnavailable || attempts > 64 { throw error }
      }
    }
  }

  private static func openRaw(
    _ directory: CInt, _ name: UnsafePointer<CChar>, _ flags: OpenFlags, _ mode: UInt32
  ) throws(Errno) -> CInt {
    try checked { Glibc.openat(directory, name, flags.rawValue | O_CLOEXEC, mode_t(mode)) }
  }

  /// Creates a pipe, both ends close-on-exec. See `pipe2(2)`.
  package static func pipe() throws(Errno) -> Pipe {
    var ends: (CInt, CInt) = (-1, -1)
    _ = try withUnsafeMutablePointer(to: &ends) { (pointer) throws(Errno) in
      try pointer.withMemoryRebound(to: CInt.self, capacity: 2) { (fds) throws(Errno) in
        try checked { stowage_pipe2(fds, O_CLOEXEC) }
      }
    }
    return Pipe(reader: OwnedDescriptor(owning: ends.0), writer: OwnedDescriptor(owning: ends.1))
  }
}

/// The two ends of a pipe.
package struct Pipe: ~Copyable, Sendable {
  /// The end to read from.
  package let reader: OwnedDescriptor
  /// The end to write to.
  package let writer: OwnedDescriptor

  /// Closes the writing end and hands out the reading end.
  package consuming func closingWriter() -> OwnedDescriptor { reader }

  /// Closes the reading end and hands out the writing end.
  package consuming func closingReader() -> OwnedDescriptor { writer }
}
