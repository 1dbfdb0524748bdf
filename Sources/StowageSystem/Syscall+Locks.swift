// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import SystemPackage

/// What a record lock excludes.
package enum LockKind: Sendable, Hashable {
  /// Shared: excludes writers.
  case read
  /// Exclusive.
  case write
}

extension Syscall {
  /// Takes an open-file-description lock on the whole file, waiting for it. See `fcntl(2)`, `F_OFD_SETLKW`.
  ///
  /// It conflicts with the classic process-owned record locks of other programs as well.
  package static func setlkw(_ descriptor: CInt, _ kind: LockKind) throws(Errno) {
    try checked { stowage_ofd_setlk(descriptor, kind == .read ? CInt(F_RDLCK) : CInt(F_WRLCK), 1) }
  }

  /// Takes the lock if it is free; false if another holder excludes it. See `fcntl(2)`, `F_OFD_SETLK`.
  package static func setlk(_ descriptor: CInt, _ kind: LockKind) throws(Errno) -> Bool {
    do throws(Errno) {
      try checked { stowage_ofd_setlk(descriptor, kind == .read ? CInt(F_RDLCK) : CInt(F_WRLCK), 0) }
      return true
    } catch {
      if error == .resourceTemporarilyUnavailable || error == .permissionDenied { return false }
      throw error
    }
  }

  /// Gives up the lock of an open file description. See `fcntl(2)`.
  package static func unlock(_ descriptor: CInt) throws(Errno) {
    try checked { stowage_ofd_setlk(descriptor, CInt(F_UNLCK), 0) }
  }
}
