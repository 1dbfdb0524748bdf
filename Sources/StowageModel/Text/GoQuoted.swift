// SPDX-License-Identifier: Apache-2.0

/// A text as a double-quoted Go string literal, the `%q` of the reference's messages (cli 18.1).
///
/// `\a \b \f \n \r \t \v \\ \"`, other control characters as `\xNN`, other characters that do not print as `\uXXXX` or
/// `\UXXXXXXXX`; everything printable literally.
public func goQuoted(_ text: String) -> String {
  var out = "\""
  for scalar in text.unicodeScalars { GoQuoting.append(scalar, to: &out) }
  return out + "\""
}

/// The same for bytes that need not be UTF-8: each invalid byte becomes `\xNN`.
public func goQuoted(bytes: some Sequence<UInt8>) -> String {
  var out = "\""
  GoQuoting.forEachScalar(in: Array(bytes)) { piece in
    switch piece {
    case .scalar(let scalar): GoQuoting.append(scalar, to: &out)
    case .invalid(let byte): GoQuoting.appendHex(byte, to: &out)
    }
  }
  return out + "\""
}

/// The pieces of ``goQuoted(_:)``.
enum GoQuoting {
  enum Piece {
    case scalar(Unicode.Scalar)
    case invalid(UInt8)
  }

  static func append(_ scalar: Unicode.Scalar, to out: inout String) {
    switch scalar.value {
    case 0x22: out += "\\\""
    case 0x5C: out += "\\\\"
    case 0x07: out += "\\a"
    case 0x08: out += "\\b"
    case 0x0C: out += "\\f"
    case 0x0A: out += "\\n"
    case 0x0D: out += "\\r"
    case 0x09: out += "\\t"
    case 0x0B: out += "\\v"
    case 0x20...0x7E: out.unicodeScalars.append(scalar)
    case ..<0x80: appendHex(UInt8(scalar.value), to: &out)
    default:
      if isPrintable(scalar) {
        out.unicodeScalars.append(scalar)
      } else if scalar.value < 0x10000 {
        out += "\\u" + hex(scalar.value, digits: 4)
      } else {
        out += "\\U" + hex(scalar.value, digits: 8)
      }
    }
  }

  static func appendHex(_ byte: UInt8, to out: inout String) { out += "\\x" + hex(UInt32(byte), digits: 2) }

  /// Letters, marks, numbers, punctuation and symbols print; of spaces only U+0020. The Unicode version is that of the
  /// Swift runtime, so characters newer than the reference's tables may differ.
  static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator, .paragraphSeparator:
      false
    default: true
    }
  }

  /// Splits bytes into scalars and invalid single bytes, as Go's decoder does: one byte is skipped per error.
  static func forEachScalar(in bytes: [UInt8], _ body: (Piece) -> Void) {
    var index = 0
    while index < bytes.count {
      if let (scalar, length) = UTF8Decoding.scalar(in: bytes.span, at: index) {
        body(.scalar(scalar))
        index += length
      } else {
        body(.invalid(bytes[index]))
        index += 1
      }
    }
  }

  private static func hex(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
}

/// Strict decoding of single UTF-8 sequences: no surrogates, no overlong forms.
enum UTF8Decoding {
  static func scalar(in bytes: Span<UInt8>, at index: Int) -> (Unicode.Scalar, Int)? {
    let first = bytes[index]
    if first < 0x80 { return (Unicode.Scalar(first), 1) }
    let length: Int
    var value: UInt32
    switch first {
    case 0xC2...0xDF: (length, value) = (2, UInt32(first & 0x1F))
    case 0xE0...0xEF: (length, value) = (3, UInt32(first & 0x0F))
    case 0xF0...0xF4: (length, value) = (4, UInt32(first & 0x07))
    default: return nil
    }
    guard index + length <= bytes.count else { return nil }
    for offset in 1..<length {
      let next = bytes[index + offset]
      guard next & 0xC0 == 0x80 else { return nil }
      value = value << 6 | UInt32(next & 0x3F)
    }
    let minimum: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000
    guard value >= minimum, let scalar = Unicode.Scalar(value) else { return nil }
    return (scalar, length)
  }
}
