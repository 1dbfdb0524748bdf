// SPDX-License-Identifier: Apache-2.0
internal import Glibc
package import SystemPackage

extension Errno {
  /// The error's text as the reference prints it: the C library's, starting in lower case; `errno N` if it has none.
  package var referenceText: String {
    guard let pointer = strerror(rawValue) else { return "errno \(rawValue)" }
    let text = String(cString: pointer)
    if text.hasPrefix("Unknown error") { return "errno \(rawValue)" }
    guard let first = text.first, text.dropFirst().first?.isUppercase != true else { return text }
    return first.lowercased() + text.dropFirst()
  }
}

extension Errno {
  /// Whether a file system, or a quota, has nothing left.
  package var isOutOfSpace: Bool { self == .noSpace || self == .diskQuotaExceeded }
}
