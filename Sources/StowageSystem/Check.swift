// SPDX-License-Identifier: Apache-2.0
internal import Glibc
package import SystemPackage

/// The error number of the call that failed last on this thread. Nothing else in the package reads `errno`.
@inline(__always)
func currentErrno() -> Errno { Errno(rawValue: errno) }

/// Runs a call of the C library, repeats it while a signal interrupts it, and turns -1 into an error.
///
/// `close` must not go through this function: Linux releases the descriptor even when it reports `EINTR`.
@inline(__always) @discardableResult
package func checked<I: FixedWidthInteger>(retry: Bool = true, _ call: () -> I) throws(Errno) -> I {
  while true {
    let result = call()
    if result != -1 { return result }
    let error = currentErrno()
    if retry && error == .interrupted { continue }
    throw error
  }
}

extension FilePath {
  /// Lends the path as a NUL-terminated byte string, keeping the error type of `body`.
  package func withCString<R>(_ body: (UnsafePointer<CChar>) throws(Errno) -> R) throws(Errno) -> R {
    let result: Result<R, Errno> = withPlatformString { pointer in
      do throws(Errno) { return .success(try body(pointer)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
