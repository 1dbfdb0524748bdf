// SPDX-License-Identifier: Apache-2.0

extension JSONReader {
  /// Reads a string; `null` reads as the empty one.
  package mutating func readString() throws(RecordParseError) -> String {
    if peek() == 0x22, position < end {
      let token = try scanString()
      return text(of: token)
    }
    if try takeNull() { return "" }
    throw failure("a string")
  }

  /// A string between its quotes, not yet decoded.
  struct StringToken {
    let range: Range<Int>
    let hasEscapes: Bool
    let isASCII: Bool
  }

  /// Consumes a string literal; the reader stands before its opening quote.
  mutating func scanString() throws(RecordParseError) -> StringToken {
    skip(1)
    let start = position
    var hasEscapes = false
    var highBits: UInt8 = 0
    while true {
      let (run, bits) = plainRun()
      highBits |= bits
      skip(run)
      guard position < end else { throw failure("the end of a string") }
      let byte = base[position]
      if byte == 0x22 { break }
      guard byte == 0x5C else { throw RecordParseError("control character in a string", at: position) }
      hasEscapes = true
      try skipEscape()
    }
    let range = start..<position
    skip(1)
    return StringToken(range: range, hasEscapes: hasEscapes, isASCII: highBits < 0x80)
  }

  /// Bytes from here that are neither quote, backslash nor control character, eight at a time; and all their bits.
  private func plainRun() -> (count: Int, bits: UInt8) {
    var index = position
    var bits: UInt64 = 0
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    while index + 8 <= end {
      let word = UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
      // A top bit in one of these marks a byte that equals the pattern or is below 0x20 (Hacker's Delight 6-1); marks
      // above the first one may be false, and then the bytes are looked at one by one.
      let quote = word ^ (ones &* 0x22)
      let backslash = word ^ (ones &* 0x5C)
      let found =
        ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash | (word &- ones &* 0x20) & ~word) & tops
      if found != 0 { break }
      bits |= word
      index += 8
    }
    var top = UInt8(truncatingIfNeeded: (bits & tops) == 0 ? 0 : 0x80)
    while index < end {
      let byte = base[index]
      if byte == 0x22 || byte == 0x5C || byte < 0x20 { break }
      top |= byte & 0x80
      index += 1
    }
    return (index - position, top)
  }

  private mutating func skipEscape() throws(RecordParseError) {
    guard position + 1 < end else { throw failure("an escape") }
    switch base[position + 1] {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: skip(2)
    case 0x75:
      guard position + 6 <= end, hexValue(at: position + 2) != nil else {
        throw RecordParseError("malformed \\u escape", at: position)
      }
      skip(6)
    default: throw RecordParseError("unknown escape", at: position)
    }
  }

  private func hexValue(at index: Int) -> UInt32? {
    guard index + 4 <= end else { return nil }
    var value: UInt32 = 0
    for offset in 0..<4 {
      let byte = base[index + offset]
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46: digit = byte - 0x41 + 10
      case 0x61...0x66: digit = byte - 0x61 + 10
      default: return nil
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  /// Decodes a scanned string.
  func text(of token: StringToken) -> String {
    if token.hasEscapes { return JSONReader.repaired(unescaped(token.range)) }
    let raw = bytes(token.range)
    if token.isASCII { return String(decoding: raw, as: UTF8.self) }
    return String(validating: raw, as: UTF8.self) ?? JSONReader.repaired(Array(raw))
  }

  private func unescaped(_ range: Range<Int>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(range.count)
    var index = range.lowerBound
    while index < range.upperBound {
      let byte = base[index]
      guard byte == 0x5C, index + 1 < range.upperBound else {
        out.append(byte)
        index += 1
        continue
      }
      index += 2
      switch base[index - 1] {
      case 0x62: out.append(0x08)
      case 0x66: out.append(0x0C)
      case 0x6E: out.append(0x0A)
      case 0x72: out.append(0x0D)
      case 0x74: out.append(0x09)
      case 0x75: index += appendUnicodeEscape(at: index, to: &out)
      case let other: out.append(other)
      }
    }
    return out
  }

  /// Appends the character whose four digits are at `index`, and returns how many bytes it took. A surrogate without its
  /// partner becomes U+FFFD.
  private func appendUnicodeEscape(at index: Int, to out: inout [UInt8]) -> Int {
    guard let unit = hexValue(at: index) else { return 0 }
    var scalar = Unicode.Scalar(unit)
    var length = 4
    if (0xD800..<0xDC00).contains(unit), index + 10 <= end, base[index + 4] == 0x5C, base[index + 5] == 0x75,
      let low = hexValue(at: index + 6), (0xDC00..<0xE000).contains(low)
    {
      scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      length = 10
    }
    out += Array(String(scalar ?? "\u{FFFD}").utf8)
    return length
  }

  /// A string in which each invalid byte is one U+FFFD (Swift's own repair would join some).
  static func repaired(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var out = ""
    GoQuoting.forEachScalar(in: bytes) { piece in
      switch piece {
      case .scalar(let scalar): out.unicodeScalars.append(scalar)
      case .invalid: out.unicodeScalars.append("\u{FFFD}")
      }
    }
    return out
  }
}
