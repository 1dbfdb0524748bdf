// SPDX-License-Identifier: Apache-2.0
internal import Glibc
package import SystemPackage

extension Errno {
  /// The error's text as the reference prints it: the C library's, starting in lower case.
  package var referenceText: String {
    guard let pointer = strerror(rawValue) else { return "errno \(rawValue)" }
    let text = String(cString: pointer)
    guard let first = text.first, text.dropFirst().first?.isUppercase != true else { return text }
    return first.lowercased() + text.dropFirst()
  }
}

/// Raises the soft limit of open descriptors to the hard one; walks keep one descriptor per level. See `setrlimit(2)`.
///
/// Failure is ignored: the old limit stays. To be called once, at the start of a program.
package func raiseDescriptorLimit() {
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(UInt32(7)), &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
  limit.rlim_cur = limit.rlim_max
  _ = setrlimit(__rlimit_resource_t(UInt32(7)), &limit)
}
