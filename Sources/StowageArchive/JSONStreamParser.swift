// SPDX-License-Identifier: Apache-2.0
internal import StowageCompression

/// Pulls flat JSON objects out of a stream of any length: no tree is built and only one string is in memory.
struct JSONStreamParser {
  /// The longest string: a segment of the reference has at most 1 MiB, but other writers may choose more.
  static let stringLimit = 256 << 20
  /// The deepest nesting that `skipValue` follows.
  static let depthLimit = 64

  private let source: any ChunkSource
  private var chunk = UnsafeRawBufferPointer(start: nil, count: 0)
  private var position = 0
  private var isFirstMember = true
  /// The key found by `nextKey()`, in lower case as the reference ignores case.
  private(set) var key = ""
  /// The string found by `string()`.
  private(set) var text: [UInt8] = []

  init(_ source: any ByteSource) { self.source = chunked(source) }

  /// Moves into the next object; false at the end of the stream.
  mutating func beginObject() throws(ArchiveError) -> Bool {
    guard let byte = try peekToken() else { return false }
    guard byte == UInt8(ascii: "{") else { throw unexpected(byte) }
    position += 1
    isFirstMember = true
    return true
  }

  /// Moves to the value of the object's next member; false at the object's end.
  mutating func nextKey() throws(ArchiveError) -> Bool {
    var byte = try token()
    if byte == UInt8(ascii: "}") {
      position += 1
      return false
    }
    if !isFirstMember {
      guard byte == UInt8(ascii: ",") else { throw unexpected(byte) }
      position += 1
      byte = try token()
    }
    isFirstMember = false
    guard byte == UInt8(ascii: "\"") else { throw unexpected(byte) }
    try readString()
    key = Self.knownKey(text)
    try expect(UInt8(ascii: ":"))
    return true
  }

  /// Reads a string into `text`; false if the value is `null`.
  mutating func string() throws(ArchiveError) -> Bool {
    let byte = try token()
    if byte == UInt8(ascii: "n") {
      try literal("null")
      return false
    }
    guard byte == UInt8(ascii: "\"") else { throw unexpected(byte) }
    try readString()
    return true
  }

  /// Reads a whole number; `null` is 0.
  mutating func integer() throws(ArchiveError) -> Int64 {
    if try token() == UInt8(ascii: "n") {
      try literal("null")
      return 0
    }
    var digits: [UInt8] = []
    while let byte = try peek(), Self.isNumberByte(byte), digits.count < 24 {
      digits.append(byte)
      position += 1
    }
    guard let value = TarNumber.decimal(digits) else {
      throw ArchiveError(.invalidTarSplit, "tar-split: not a whole number")
    }
    return value
  }

  /// Passes over any value.
  mutating func skipValue() throws(ArchiveError) {
    var depth = 0
    repeat {
      let byte = try token()
      switch byte {
      case UInt8(ascii: "\""): try readString()
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        guard depth <= Self.depthLimit else { throw ArchiveError(.invalidTarSplit, "tar-split: nested too deeply") }
        position += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        guard depth >= 0 else { throw unexpected(byte) }
        position += 1
      case UInt8(ascii: ","), UInt8(ascii: ":"):
        guard depth > 0 else { throw unexpected(byte) }
        position += 1
      default: try skipScalar(byte)
      }
    } while depth > 0
  }

  private mutating func skipScalar(_ first: UInt8) throws(ArchiveError) {
    switch first {
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    default:
      guard Self.isNumberByte(first) else { throw unexpected(first) }
      while let byte = try peek(), Self.isNumberByte(byte) { position += 1 }
    }
  }

  private static func isNumberByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
      UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }

  private static func knownKey(_ text: [UInt8]) -> String {
    guard text.count <= 16 else { return "" }
    return String(decoding: text, as: UTF8.self).lowercased()
  }

  private func unexpected(_ byte: UInt8) -> ArchiveError {
    ArchiveError(.invalidTarSplit, "tar-split: invalid character 0x\(String(byte, radix: 16)) in JSON")
  }
}

extension JSONStreamParser {
  private mutating func peek() throws(ArchiveError) -> UInt8? {
    if position == chunk.count {
      chunk = try source.nextChunk()
      position = 0
      if chunk.isEmpty { return nil }
    }
    return chunk[position]
  }

  /// The next byte that is not white space, not consumed; nil at the end.
  private mutating func peekToken() throws(ArchiveError) -> UInt8? {
    while let byte = try peek() {
      switch byte {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return byte
      }
    }
    return nil
  }

  private mutating func token() throws(ArchiveError) -> UInt8 {
    guard let byte = try peekToken() else { throw .unexpectedEnd }
    return byte
  }

  private mutating func expect(_ wanted: UInt8) throws(ArchiveError) {
    let byte = try token()
    guard byte == wanted else { throw unexpected(byte) }
    position += 1
  }

  private mutating func byte() throws(ArchiveError) -> UInt8 {
    guard let byte = try peek() else { throw .unexpectedEnd }
    position += 1
    return byte
  }

  private mutating func literal(_ word: StaticString) throws(ArchiveError) {
    for index in 0..<word.utf8CodeUnitCount {
      let found = try byte()
      guard found == word.withUTF8Buffer({ $0[index] }) else { throw unexpected(found) }
    }
  }

  /// Reads the string that starts at the current quote.
  private mutating func readString() throws(ArchiveError) {
    position += 1
    text.removeAll(keepingCapacity: true)
    while true {
      guard try peek() != nil else { throw .unexpectedEnd }
      let rest = UnsafeRawBufferPointer(rebasing: chunk[position...])
      let length = Self.plainLength(rest)
      text.append(contentsOf: rest[..<length])
      position += length
      guard text.count <= Self.stringLimit else { throw ArchiveError(.invalidTarSplit, "tar-split: string too long") }
      guard length < rest.count else { continue }
      switch try byte() {
      case UInt8(ascii: "\""): return
      case UInt8(ascii: "\\"): try readEscape()
      case let other: throw unexpected(other)
      }
    }
  }

  /// How many bytes stand for themselves.
  private static func plainLength(_ bytes: UnsafeRawBufferPointer) -> Int {
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
      index += 1
    }
    return index
  }

  private mutating func readEscape() throws(ArchiveError) {
    switch try byte() {
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "u"): try readUnicodeEscape()
    case let other where other == UInt8(ascii: "\"") || other == UInt8(ascii: "\\") || other == UInt8(ascii: "/"):
      text.append(other)
    case let other: throw unexpected(other)
    }
  }

  private mutating func readUnicodeEscape() throws(ArchiveError) {
    var value = try readHexadecimal()
    while value & 0xFC00 == 0xD800 {
      // An upper half needs the lower one; alone it is U+FFFD.
      guard try peek() == UInt8(ascii: "\\") else { return append(0xFFFD) }
      position += 1
      guard try peek() == UInt8(ascii: "u") else {
        append(0xFFFD)
        return try readEscape()
      }
      position += 1
      let low = try readHexadecimal()
      if low & 0xFC00 == 0xDC00 { return append(0x10000 + (value & 0x3FF) << 10 + (low & 0x3FF)) }
      append(0xFFFD)
      value = low
    }
    append(value)
  }

  private mutating func readHexadecimal() throws(ArchiveError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      let digit = try byte()
      guard let number = UInt32(String(UnicodeScalar(digit)), radix: 16) else { throw unexpected(digit) }
      value = value << 4 | number
    }
    return value
  }

  private mutating func append(_ scalar: UInt32) {
    let character = Unicode.Scalar(scalar) ?? "\u{FFFD}"
    text.append(contentsOf: Character(character).utf8)
  }
}
