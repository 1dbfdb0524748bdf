// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The text of an `errno` value as the reference prints it: the C library's, with a small first letter.
func errorText(_ errorNumber: CInt) -> String {
  var buffer = [CChar](repeating: 0, count: 256)
  let code = strerror_r(errorNumber, &buffer, buffer.count)
  guard code == 0 else { return "errno \(errorNumber)" }
  let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  let text = String(decoding: bytes, as: UTF8.self)
  guard let first = text.first else { return "errno \(errorNumber)" }
  // An abbreviation such as "RPC struct is bad" keeps its capitals.
  let second = text.dropFirst().first
  if let second, second.isUppercase { return text }
  return first.lowercased() + text.dropFirst()
}
