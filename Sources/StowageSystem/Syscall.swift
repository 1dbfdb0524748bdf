// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The system calls Stowage makes, one function per call.
///
/// Functions named like the `…at` call take a directory descriptor and a NUL-terminated name of bytes (names inside
/// layers; nothing is allocated). Functions with a `FilePath` are for host paths. Calls that change something pass
/// ``SystemHook`` first: the descriptor forms as steps inside a layer, the path forms as steps of the store.
/// `EINTR` is retried, except for `close`.
package enum Syscall {
  /// The descriptor that stands for the working directory.
  package static let workingDirectory: CInt = AT_FDCWD
}

extension UnsafePointer<CChar> {
  /// The name as text, for hooks and messages only.
  var text: String { String(cString: self) }
}
