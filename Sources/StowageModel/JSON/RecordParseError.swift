// SPDX-License-Identifier: Apache-2.0

/// Why a JSON text, or a record file, cannot be read.
public struct RecordParseError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong, in English.
  public let reason: String
  /// Where: bytes from the start of the text.
  public let offset: Int

  init(_ reason: String, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// Reason and offset.
  public var description: String { "\(reason) at byte \(offset)" }
}
