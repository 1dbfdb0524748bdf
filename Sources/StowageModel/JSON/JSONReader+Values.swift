// SPDX-License-Identifier: Apache-2.0

extension JSONReader {
  /// Reads a signed 64-bit integer without fraction and exponent; `null` reads as 0.
  package mutating func readInt64() throws(RecordParseError) -> Int64 {
    if try takeNull() { return 0 }
    let start = position
    let (negative, magnitude) = try readMagnitude()
    if negative {
      if magnitude == Int64.min.magnitude { return .min }
      guard magnitude <= UInt64(Int64.max) else { throw RecordParseError("integer overflow", at: start) }
      return -Int64(magnitude)
    }
    guard let value = Int64(exactly: magnitude) else { throw RecordParseError("integer overflow", at: start) }
    return value
  }

  /// Reads an unsigned 32-bit integer without fraction and exponent; `null` reads as 0.
  package mutating func readUInt32() throws(RecordParseError) -> UInt32 {
    if try takeNull() { return 0 }
    let start = position
    let (negative, magnitude) = try readMagnitude()
    guard !negative, let value = UInt32(exactly: magnitude) else {
      throw RecordParseError("integer out of range for 32 bits", at: start)
    }
    return value
  }

  private mutating func readMagnitude() throws(RecordParseError) -> (negative: Bool, magnitude: UInt64) {
    let first = peek()
    let start = position
    let negative = first == 0x2D && position < end
    if negative { skip(1) }
    let digits = position
    var value: UInt64 = 0
    while position < end {
      let digit = base[position] &- 0x30
      if digit > 9 { break }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      if overflow || carry { throw RecordParseError("integer overflow", at: start) }
      value = sum
      skip(1)
    }
    if position == digits { throw failure("an integer") }
    if position - digits > 1, base[digits] == 0x30 { throw RecordParseError("number with a leading zero", at: start) }
    if position < end, base[position] == 0x2E || base[position] | 0x20 == 0x65 {
      throw RecordParseError("number is no integer", at: start)
    }
    return (negative, value)
  }

  /// Consumes one value of any kind and returns where it is.
  package mutating func skipValue() throws(RecordParseError) -> Range<Int> {
    _ = peek()
    let start = position
    try skipValue(depth: 0)
    return start..<position
  }

  private mutating func skipValue(depth: Int) throws(RecordParseError) {
    guard depth < JSONReader.maximumDepth else { throw RecordParseError("nesting too deep", at: position) }
    var first = true
    switch peek() {
    case 0x22: _ = try scanString()
    case 0x7B:
      skip(1)
      while try advance(&first, close: 0x7D) {
        guard peek() == 0x22 else { throw failure("a member name") }
        _ = try scanString()
        try expect(0x3A)
        try skipValue(depth: depth + 1)
      }
    case 0x5B:
      skip(1)
      while try advance(&first, close: 0x5D) { try skipValue(depth: depth + 1) }
    case 0x74: try takeWord("true")
    case 0x66: try takeWord("false")
    case 0x6E: try takeWord("null")
    case 0x2D, 0x30...0x39: _ = try scanNumber()
    default: throw failure("a value")
    }
  }

  /// Reads one value of any kind.
  package mutating func readValue() throws(RecordParseError) -> JSONValue { try readValue(depth: 0) }

  private mutating func readValue(depth: Int) throws(RecordParseError) -> JSONValue {
    guard depth < JSONReader.maximumDepth else { throw RecordParseError("nesting too deep", at: position) }
    var first = true
    switch peek() {
    case 0x22: return .string(text(of: try scanString()))
    case 0x7B:
      skip(1)
      var members: [JSONValue.Member] = []
      while try advance(&first, close: 0x7D) {
        let name = try readName()
        members.append(JSONValue.Member(name, try readValue(depth: depth + 1)))
      }
      return .object(members)
    case 0x5B:
      skip(1)
      var values: [JSONValue] = []
      while try advance(&first, close: 0x5D) { values.append(try readValue(depth: depth + 1)) }
      return .array(values)
    case 0x74:
      try takeWord("true")
      return .bool(true)
    case 0x66:
      try takeWord("false")
      return .bool(false)
    case 0x6E:
      try takeWord("null")
      return .null
    case 0x2D, 0x30...0x39:
      return .number(String(decoding: bytes(try scanNumber()), as: UTF8.self))
    default: throw failure("a value")
    }
  }

  /// Reads a member name and the colon.
  package mutating func readName() throws(RecordParseError) -> String {
    guard peek() == 0x22, position < end else { throw failure("a member name") }
    let token = try scanString()
    try expect(0x3A)
    return text(of: token)
  }

  /// Consumes a number of any form; the reader stands before its first byte.
  mutating func scanNumber() throws(RecordParseError) -> Range<Int> {
    let start = position
    if base[position] == 0x2D { skip(1) }
    let leadingZero = position < end && base[position] == 0x30
    let whole = try skipDigits()
    if leadingZero, whole > 1 { throw RecordParseError("number with a leading zero", at: start) }
    if position < end, base[position] == 0x2E {
      skip(1)
      _ = try skipDigits()
    }
    if position < end, base[position] | 0x20 == 0x65 {
      skip(1)
      if position < end, base[position] == 0x2B || base[position] == 0x2D { skip(1) }
      _ = try skipDigits()
    }
    return start..<position
  }

  private mutating func skipDigits() throws(RecordParseError) -> Int {
    let start = position
    while position < end, base[position] &- 0x30 <= 9 { skip(1) }
    if position == start { throw failure("a digit") }
    return position - start
  }
}

extension JSONValue {
  /// Parses a whole JSON text.
  ///
  /// - Throws: ``RecordParseError`` for malformed JSON, text after the value, and nesting deeper than 512.
  public init(parsing bytes: [UInt8]) throws(RecordParseError) {
    self = try bytes.withUnsafeBufferPointer { buffer throws(RecordParseError) in
      var reader = JSONReader(buffer)
      let value = try reader.readValue()
      if !reader.isAtEnd() { throw reader.failure("the end of the text") }
      return value
    }
  }
}
