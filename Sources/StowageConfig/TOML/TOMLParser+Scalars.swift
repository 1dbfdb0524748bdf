// SPDX-License-Identifier: Apache-2.0

extension TOMLParser {
  // MARK: - Strings

  mutating func basicString() throws(ConfigurationProblem) -> String {
    let start = index
    index += 1
    var out: [UInt8] = []
    while !isAtEnd {
      let byte = peek()
      if byte == 0x22 {
        index += 1
        return String(decoding: out, as: UTF8.self)
      }
      if isControl(byte) { throw problem("control character in a string") }
      if byte == 0x5C { try appendEscape(to: &out) } else { append(byte, to: &out) }
    }
    throw problem("string without end", at: start)
  }

  mutating func literalString() throws(ConfigurationProblem) -> String {
    let start = index
    index += 1
    while !isAtEnd {
      if peek() == 0x27 {
        index += 1
        return text((start + 1)..<(index - 1))
      }
      if isControl(peek()) { throw problem("control character in a string") }
      index += 1
    }
    throw problem("string without end", at: start)
  }

  mutating func multilineBasicString() throws(ConfigurationProblem) -> String {
    let start = index
    openMultiline()
    var out: [UInt8] = []
    while !isAtEnd {
      if startsWith("\"\"\"") {
        closeMultiline(0x22, &out)
        return String(decoding: out, as: UTF8.self)
      }
      let byte = peek()
      if byte == 0x5C {
        if !skipLineContinuation() { try appendEscape(to: &out) }
      } else {
        try appendLine(byte, to: &out)
      }
    }
    throw problem("string without end", at: start)
  }

  mutating func multilineLiteralString() throws(ConfigurationProblem) -> String {
    let start = index
    openMultiline()
    var out: [UInt8] = []
    while !isAtEnd {
      if startsWith("'''") {
        closeMultiline(0x27, &out)
        return String(decoding: out, as: UTF8.self)
      }
      try appendLine(peek(), to: &out)
    }
    throw problem("string without end", at: start)
  }

  /// The three quotes; a line end directly behind them does not count.
  private mutating func openMultiline() {
    index += 3
    if peek() == 0x0D, peek(1) == 0x0A { index += 2 } else if peek() == 0x0A { index += 1 }
  }

  /// The three quotes; up to two more directly before them belong to the string.
  private mutating func closeMultiline(_ quote: UInt8, _ out: inout [UInt8]) {
    for _ in 0..<2 where peek(3) == quote { append(quote, to: &out) }
    index += 3
  }

  private mutating func appendLine(_ byte: UInt8, to out: inout [UInt8]) throws(ConfigurationProblem) {
    let endsLine = byte == 0x0A || (byte == 0x0D && peek(1) == 0x0A)
    if isControl(byte), !endsLine { throw problem("control character in a string") }
    append(byte, to: &out)
  }

  private mutating func append(_ byte: UInt8, to out: inout [UInt8]) {
    out.append(byte)
    index += 1
  }

  /// A backslash at the end of a line swallows the white space that follows. False if it is no such one.
  private mutating func skipLineContinuation() -> Bool {
    let start = index
    index += 1
    skipSpace()
    guard peek() == 0x0A || (peek() == 0x0D && peek(1) == 0x0A) else {
      index = start
      return false
    }
    while [0x20, 0x09, 0x0A, 0x0D].contains(peek()) { index += 1 }
    return true
  }

  private mutating func appendEscape(to out: inout [UInt8]) throws(ConfigurationProblem) {
    let simple: [UInt8: UInt8] = [
      0x62: 0x08, 0x74: 0x09, 0x6E: 0x0A, 0x66: 0x0C, 0x72: 0x0D, 0x22: 0x22, 0x5C: 0x5C, 0x65: 0x1B,
    ]
    let kind = peek(1)
    if let byte = simple[kind] {
      out.append(byte)
      index += 2
      return
    }
    guard kind == 0x75 || kind == 0x55 else { throw problem("unknown escape") }
    let count = kind == 0x75 ? 4 : 8
    guard index + 2 + count <= bytes.count,
      bytes[(index + 2)..<(index + 2 + count)].allSatisfy(isHexadecimal),
      let value = UInt32(text((index + 2)..<(index + 2 + count)), radix: 16), let scalar = Unicode.Scalar(value)
    else { throw problem("malformed escape") }
    out += Array(String(scalar).utf8)
    index += 2 + count
  }

  private func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
    default: false
    }
  }

  // MARK: - Booleans, numbers, dates

  mutating func scalar() throws(ConfigurationProblem) -> ConfigurationValue.Content {
    let start = index
    while !isAtEnd, isScalarByte(peek()) { index += 1 }
    // A date and a time may be separated by one space.
    if index - start == 10, bytes[start + 4] == 0x2D, peek() == 0x20, isDigit(peek(1)) {
      index += 1
      while !isAtEnd, isScalarByte(peek()) { index += 1 }
    }
    let word = text(start..<index)
    switch word {
    case "": throw problem("expected a value", at: start)
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "inf", "+inf": return .float(.infinity)
    case "-inf": return .float(-.infinity)
    case "nan", "+nan", "-nan": return .float(.nan)
    default: break
    }
    if let number = try number(Array(bytes[start..<index]), at: start) { return number }
    if isDateOrTime(Array(bytes[start..<index])) { return .other }
    throw problem("'\(word)' is no value", at: start)
  }

  private func isScalarByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D, 0x2B, 0x2E, 0x3A: true
    default: false
    }
  }

  private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private func number(_ word: [UInt8], at start: Int) throws(ConfigurationProblem) -> ConfigurationValue.Content? {
    for index in word.indices where word[index] == 0x5F {
      // An underscore stands between two digits.
      guard index > 0, index + 1 < word.count, isHexadecimal(word[index - 1]), isHexadecimal(word[index + 1]) else {
        return nil
      }
    }
    let text = String(decoding: word.filter { $0 != 0x5F }, as: UTF8.self)
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where text.hasPrefix(prefix) {
      let digits = text.dropFirst(2)
      guard digits.utf8.allSatisfy(isHexadecimal), !digits.isEmpty else { return nil }
      return Int64(digits, radix: radix).map { .integer($0) }
    }
    let digits = text.utf8.drop { $0 == 0x2B || $0 == 0x2D }
    guard digits.count + 1 >= text.utf8.count, let first = digits.first, isDigit(first) else { return nil }
    let leadingZero = first == 0x30 && digits.dropFirst().first.map(isDigit) ?? false
    if digits.allSatisfy(isDigit) {
      if leadingZero { throw problem("number with a leading zero", at: start) }
      guard let value = Int64(text) else { throw problem("integer out of range for int64", at: start) }
      return .integer(value)
    }
    if leadingZero || !isFloat(Array(digits)) { return nil }
    return Double(text).map { .float($0) }
  }

  /// Digits, then a fraction or an exponent or both, each with digits.
  private func isFloat(_ digits: [UInt8]) -> Bool {
    var rest = digits.drop(while: isDigit)
    if rest.first == 0x2E {
      let fraction = rest.dropFirst()
      rest = fraction.drop(while: isDigit)
      if rest.count == fraction.count { return false }
    }
    guard let next = rest.first else { return true }
    if next | 0x20 != 0x65 { return false }
    rest = rest.dropFirst()
    if let sign = rest.first, sign == 0x2B || sign == 0x2D { rest = rest.dropFirst() }
    return !rest.isEmpty && rest.allSatisfy(isDigit)
  }

  /// Only the outline: `dddd-dd-dd…` or `dd:dd…`.
  private func isDateOrTime(_ word: [UInt8]) -> Bool {
    func matches(_ pattern: String) -> Bool {
      let pattern = Array(pattern.utf8)
      guard word.count >= pattern.count else { return false }
      return zip(word, pattern).allSatisfy { $1 == 0x64 ? isDigit($0) : $0 == $1 }
    }
    return matches("dddd-dd-dd") || matches("dd:dd")
  }
}
