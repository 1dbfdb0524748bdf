// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import SystemPackage

/// An open file descriptor with one owner; closed at the end of its life.
package struct OwnedDescriptor: ~Copyable, Sendable {
  /// The descriptor number. It stays owned by this value.
  package let rawValue: CInt

  /// Takes ownership of an open descriptor.
  package init(owning rawValue: CInt) { self.rawValue = rawValue }

  deinit { _ = Glibc.close(rawValue) }

  /// Closes the descriptor and reports what the kernel says; never retried. See `close(2)`.
  package consuming func close() throws(Errno) {
    let descriptor = rawValue
    discard self
    try checked(retry: false) { Glibc.close(descriptor) }
  }

  /// A second descriptor of the same open file description, close-on-exec. See `fcntl(2)`, `F_DUPFD_CLOEXEC`.
  package borrowing func duplicate() throws(Errno) -> OwnedDescriptor {
    let descriptor = rawValue
    return OwnedDescriptor(owning: try checked { stowage_dup_cloexec(descriptor) })
  }

  /// Gives up ownership: the caller closes the descriptor.
  package consuming func release() -> CInt {
    let descriptor = rawValue
    discard self
    return descriptor
  }
}

/// An open file descriptor that several values share; closed when the last reference goes.
package final class SharedDescriptor: Sendable {
  /// The descriptor number.
  package let rawValue: CInt

  /// Takes ownership of an open descriptor.
  package init(owning rawValue: CInt) { self.rawValue = rawValue }

  /// Takes over an owned descriptor.
  package convenience init(_ descriptor: consuming OwnedDescriptor) { self.init(owning: descriptor.release()) }

  deinit { _ = Glibc.close(rawValue) }
}
