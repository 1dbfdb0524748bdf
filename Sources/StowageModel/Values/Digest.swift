// SPDX-License-Identifier: Apache-2.0

/// A content digest: an algorithm and lower-case hexadecimal digits, written `sha256:…`.
///
/// Records may hold texts that are no valid digest; they are kept as they are (``init(recorded:)``) and validated only
/// where they matter (on-disk-format 6.5).
public struct Digest: Hashable, Sendable, CustomStringConvertible {
  /// The whole text, `algorithm:hex`.
  public let description: String

  /// Parses and validates: `sha256:` + 64, `sha384:` + 96 or `sha512:` + 128 lower-case hexadecimal digits.
  public init(parsing text: String) throws(DigestError) {
    if let problem = Digest.problem(of: text) { throw problem }
    description = text
  }

  /// A sha256 digest from its 32 bytes; other lengths give a text that is not valid.
  public init(sha256 bytes: some Sequence<UInt8>) {
    let digits = Array("0123456789abcdef".utf8)
    var text = Array("sha256:".utf8)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    description = String(decoding: text, as: UTF8.self)
  }

  /// Takes a text from a record without validation; nil if it is empty.
  package init?(recorded text: String) {
    if text.isEmpty { return nil }
    description = text
  }

  /// Takes any text from a record, also an empty one.
  init(unvalidated text: String) { description = text }

  /// The part before the first colon; the whole text if there is none.
  public var algorithm: String {
    description.utf8.firstIndex(of: 0x3A).map { String(description[..<$0]) } ?? description
  }

  /// The part after the first colon; empty if there is none.
  public var hex: String {
    guard let colon = description.utf8.firstIndex(of: 0x3A) else { return "" }
    return String(description[description.utf8.index(after: colon)...])
  }

  /// True if ``init(parsing:)`` accepts the text.
  public var isValid: Bool { Digest.problem(of: description) == nil }

  /// True if both have the same bytes.
  public static func == (a: Digest, b: Digest) -> Bool { a.description.hasSameBytes(as: b.description) }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) { description.hashBytes(into: &hasher) }

  private static func problem(of text: String) -> DigestError? {
    let bytes = Array(text.utf8)
    guard let colon = bytes.firstIndex(of: 0x3A), colon > 0, colon + 1 < bytes.count else { return .invalidFormat }
    let length: Int
    switch String(decoding: bytes[..<colon], as: UTF8.self) {
    case "sha256": length = 64
    case "sha384": length = 96
    case "sha512": length = 128
    default:
      return isWellFormed(algorithm: bytes[..<colon], encoded: bytes[(colon + 1)...])
        ? .unsupportedAlgorithm : .invalidFormat
    }
    let hex = bytes[(colon + 1)...]
    // The general form is looked at first, then the length, then the digits.
    guard isWellFormed(algorithm: bytes[..<colon], encoded: hex) else { return .invalidFormat }
    if hex.count != length { return .invalidLength }
    return hex.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } ? nil : .invalidFormat
  }

  /// The general form: algorithm of lower-case words joined by `+ . _ -`, then letters, digits and `= _ -`.
  private static func isWellFormed(algorithm: ArraySlice<UInt8>, encoded: ArraySlice<UInt8>) -> Bool {
    var afterSeparator = true
    for byte in algorithm {
      switch byte {
      case 0x30...0x39, 0x61...0x7A: afterSeparator = false
      case 0x2B, 0x2E, 0x5F, 0x2D:
        if afterSeparator { return false }
        afterSeparator = true
      default: return false
      }
    }
    if afterSeparator { return false }
    return encoded.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x61...0x7A, 0x41...0x5A, 0x3D, 0x5F, 0x2D: true
      default: false
      }
    }
  }
}

/// Why a text is no digest.
public enum DigestError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Not `algorithm:hex`, or not lower-case hexadecimal digits.
  case invalidFormat
  /// The wrong number of digits for the algorithm.
  case invalidLength
  /// Well formed, but not sha256, sha384 or sha512.
  case unsupportedAlgorithm

  /// The reference text.
  public var description: String {
    switch self {
    case .invalidFormat: "invalid checksum digest format"
    case .invalidLength: "invalid checksum digest length"
    case .unsupportedAlgorithm: "unsupported digest algorithm"
    }
  }
}
