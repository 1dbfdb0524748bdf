// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageModel

/// An extended regular expression of POSIX.
final class Expression {
  private let compiled: UnsafeMutablePointer<regex_t>

  /// - Throws: `usage`, with what is wrong, for a text that is no expression.
  init(_ text: String) throws(StorageError) { compiled = try Expression.compile(text) }

  /// What fails here has freed what it took, and has no `deinit` that would free it again.
  private static func compile(_ text: String) throws(StorageError) -> UnsafeMutablePointer<regex_t> {
    let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
    compiled.initialize(to: regex_t())
    let status = regcomp(compiled, text, REG_EXTENDED | REG_NOSUB)
    if status == 0 { return compiled }
    var reason = [CChar](repeating: 0, count: 200)
    regerror(status, compiled, &reason, reason.count)
    compiled.deallocate()
    let bytes = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    throw StorageError(.usage, "no regular expression: \(String(decoding: bytes, as: UTF8.self))")
  }

  deinit {
    regfree(compiled)
    compiled.deallocate()
  }

  /// Whether it fits somewhere in a text.
  func fits(_ text: String) -> Bool { regexec(compiled, text, 0, nil, 0) == 0 }
}
