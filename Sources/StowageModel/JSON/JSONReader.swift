// SPDX-License-Identifier: Apache-2.0

/// A position in a JSON text that moves forward once.
///
/// Works on borrowed memory: a reader must not outlive the `withUnsafeBytes` closure that lent it. Every access checks
/// the end, so no input can trap. Grammar: RFC 8259; invalid UTF-8 inside strings reads as U+FFFD per byte.
package struct JSONReader {
  let base: UnsafePointer<UInt8>
  let end: Int
  /// Bytes read so far.
  package private(set) var position = 0
  /// Why a well-formed record cannot be used, set by decoders.
  package var problem: String?

  /// Nesting beyond this is refused, so that the recursion is bounded.
  static let maximumDepth = 512

  /// Reads from the start of lent memory.
  package init(_ bytes: UnsafeBufferPointer<UInt8>) {
    // An empty buffer may have no address; nothing is read from this one then.
    let nothing: StaticString = ""
    base = bytes.baseAddress ?? nothing.utf8Start
    end = bytes.count
  }

  /// The next byte that is no white space, not consumed; 0 at the end.
  package mutating func peek() -> UInt8 {
    while position < end {
      let byte = base[position]
      if byte > 0x20 { return byte }
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      position += 1
    }
    return 0
  }

  /// True if only white space is left.
  package mutating func isAtEnd() -> Bool {
    _ = peek()
    return position >= end
  }

  /// An error at this position.
  package func failure(_ expectation: String) -> RecordParseError {
    if position >= end { return RecordParseError("unexpected end of input, expected \(expectation)", at: position) }
    return RecordParseError("expected \(expectation), found \(goQuoted(bytes: [base[position]]))", at: position)
  }

  /// Consumes one given byte after white space.
  package mutating func expect(_ byte: UInt8) throws(RecordParseError) {
    guard peek() == byte, position < end else { throw failure("'\(Unicode.Scalar(byte))'") }
    position += 1
  }

  /// Consumes `null` if it is next.
  package mutating func takeNull() throws(RecordParseError) -> Bool {
    guard peek() == 0x6E, position < end else { return false }
    try takeWord("null")
    return true
  }

  mutating func takeWord(_ word: StaticString) throws(RecordParseError) {
    let count = word.utf8CodeUnitCount
    guard count <= end - position else { throw failure("'\(word)'") }
    for offset in 0..<count where base[position + offset] != word.utf8Start[offset] { throw failure("'\(word)'") }
    position += count
  }

  /// Whether another element of an array follows; consumes the comma or the closing bracket.
  ///
  /// Call after `[` was consumed; `first` must start true.
  package mutating func nextElement(_ first: inout Bool) throws(RecordParseError) -> Bool {
    try advance(&first, close: 0x5D)
  }

  /// Whether another member of an object follows; the reader then stands before its name.
  mutating func advance(_ first: inout Bool, close: UInt8) throws(RecordParseError) -> Bool {
    let byte = peek()
    if byte == close, position < end {
      position += 1
      return false
    }
    if first {
      first = false
      return true
    }
    guard byte == 0x2C, position < end else { throw failure("',' or '\(Unicode.Scalar(close))'") }
    position += 1
    return true
  }

  /// Moves forward inside what was checked already.
  mutating func skip(_ count: Int) { position += count }

  /// Moves back to a position seen before.
  mutating func rewind(to earlier: Int) { position = earlier }

  /// The bytes between two positions.
  func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
  }
}
