// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import StowageSystem
internal import SystemPackage

/// What decides how objects this process makes come out: its IDs and its umask. Neither is ever changed here.
struct ProcessIdentity: Sendable {
  /// Owner of new objects.
  let uid: UInt32
  /// Group of new objects, unless the directory says otherwise.
  let gid: UInt32
  /// Mode bits new objects do not get; all bits if it cannot be told.
  let mask: UInt32

  /// Asks the kernel. The umask is read from `/proc`, as the call that returns it also sets it for all threads.
  static func current() -> ProcessIdentity {
    var mask: UInt32 = 0o777
    if let bytes = try? Syscall.readFile("/proc/thread-self/status", limit: 1 << 16) {
      for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("Umask:") {
        mask = UInt32(line.dropFirst(6).filter { !$0.isWhitespace }, radix: 8) ?? mask
      }
    }
    return ProcessIdentity(uid: UInt32(geteuid()), gid: UInt32(getegid()), mask: mask)
  }

  /// True if the umask or the kernel's rules for set-ID bits may change a mode at creation.
  func masks(_ mode: UInt32) -> Bool { mode & (mask | 0o6000) != 0 }

  /// Owner and mode of an object that was just made in `parent`; nil if they cannot be told without looking.
  func creationStatus(in parent: OpenDirectory, mode: UInt32) -> ObjectIdentity? {
    guard parent.createsPlainly else { return nil }
    return ObjectIdentity(uid: uid, gid: gid, mode: masks(mode) ? nil : mode)
  }
}

/// Owner and mode of an object.
struct ObjectIdentity {
  /// Owner.
  var uid: UInt32
  /// Group.
  var gid: UInt32
  /// The 12 permission bits; nil if not known.
  var mode: UInt32?
}
