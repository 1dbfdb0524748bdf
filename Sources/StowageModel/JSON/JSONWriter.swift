// SPDX-License-Identifier: Apache-2.0

/// Builds a compact JSON text in memory; commas are set by itself.
package struct JSONWriter: Sendable {
  /// How some characters are escaped.
  package enum Style: Sendable {
    /// As the record files are: `\u0008`, `\u000c` (on-disk-format 4.1).
    case recordFile
    /// As commands print: `\b`, `\f` (cli 10).
    case output
  }

  /// The text so far.
  package private(set) var bytes: [UInt8] = []
  private let style: Style
  private var needsComma = false

  /// Starts an empty text.
  package init(_ style: Style) { self.style = style }

  /// Makes room, in bytes.
  package mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }

  /// Writes `{`.
  package mutating func beginObject() { open(0x7B) }
  /// Writes `}`.
  package mutating func endObject() { close(0x7D) }
  /// Writes `[`.
  package mutating func beginArray() { open(0x5B) }
  /// Writes `]`.
  package mutating func endArray() { close(0x5D) }

  /// Writes a member name; a value must follow.
  package mutating func name(_ name: String) {
    separate()
    appendQuoted(name)
    bytes.append(0x3A)
    needsComma = false
  }

  /// Writes a string.
  package mutating func string(_ text: String) {
    separate()
    appendQuoted(text)
  }

  /// Writes a string of bytes that need not be UTF-8; each invalid byte becomes U+FFFD, in record files as `\ufffd`.
  package mutating func string(bytes text: [UInt8]) {
    separate()
    bytes.append(0x22)
    var run: [UInt8] = []
    GoQuoting.forEachScalar(in: text) { piece in
      switch piece {
      case .scalar(let scalar): run.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      case .invalid:
        run.withUnsafeBufferPointer { appendEscaped($0) }
        run.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: (style == .recordFile ? "\\ufffd" : "\u{FFFD}").utf8)
      }
    }
    run.withUnsafeBufferPointer { appendEscaped($0) }
    bytes.append(0x22)
  }

  /// Writes an integer.
  package mutating func integer(_ value: some BinaryInteger) { raw(String(value).utf8) }

  /// Writes `true` or `false`.
  package mutating func bool(_ value: Bool) { raw((value ? "true" : "false").utf8) }

  /// Writes `null`.
  package mutating func null() { raw("null".utf8) }

  /// Writes a time as a string.
  package mutating func time(_ value: Timestamp) {
    separate()
    bytes.append(0x22)
    value.appendText(to: &bytes)
    bytes.append(0x22)
  }

  /// Writes a value that is JSON already.
  package mutating func raw(_ text: some Sequence<UInt8>) {
    separate()
    bytes.append(contentsOf: text)
  }

  /// Writes a value as the reference does after reading it: numbers as 64-bit floats, members sorted by name with the
  /// last of repeated ones.
  package mutating func value(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .bool(let flag): bool(flag)
    case .number(let text): raw(GoNumber.normalized(text).utf8)
    case .string(let text): string(text)
    case .array(let values):
      beginArray()
      for element in values { self.value(element) }
      endArray()
    case .object(let members):
      var table = KeyedValues<JSONValue>()
      for member in members { table[member.name] = member.value }
      self.table(table) { (writer: inout JSONWriter, value) in writer.value(value) }
    }
  }

  /// Writes an object from a table.
  package mutating func table<V>(_ table: KeyedValues<V>, _ write: (inout JSONWriter, V) -> Void) {
    beginObject()
    for entry in table.entries {
      name(entry.key)
      write(&self, entry.value)
    }
    endObject()
  }

  private mutating func separate() {
    if needsComma { bytes.append(0x2C) }
    needsComma = true
  }

  private mutating func open(_ byte: UInt8) {
    separate()
    bytes.append(byte)
    needsComma = false
  }

  private mutating func close(_ byte: UInt8) {
    bytes.append(byte)
    needsComma = true
  }

  private mutating func appendQuoted(_ text: String) {
    var copy = text
    bytes.append(0x22)
    copy.withUTF8 { appendEscaped($0) }
    bytes.append(0x22)
  }

  private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>) {
    var start = 0
    var index = 0
    while index < text.count {
      let byte = text[index]
      var length = 1
      let escape: StaticString?
      switch byte {
      case 0x22: escape = "\\\""
      case 0x5C: escape = "\\\\"
      case 0x0A: escape = "\\n"
      case 0x0D: escape = "\\r"
      case 0x09: escape = "\\t"
      case 0x08: escape = style == .output ? "\\b" : "\\u0008"
      case 0x0C: escape = style == .output ? "\\f" : "\\u000c"
      case 0x3C: escape = "\\u003c"
      case 0x3E: escape = "\\u003e"
      case 0x26: escape = "\\u0026"
      case 0xE2 where index + 2 < text.count && text[index + 1] == 0x80 && text[index + 2] | 1 == 0xA9:
        escape = text[index + 2] == 0xA8 ? "\\u2028" : "\\u2029"
        length = 3
      case ..<0x20:
        bytes.append(contentsOf: text[start..<index])
        appendControl(byte)
        index += 1
        start = index
        continue
      default: escape = nil
      }
      if let escape {
        bytes.append(contentsOf: text[start..<index])
        bytes.append(contentsOf: UnsafeBufferPointer(start: escape.utf8Start, count: escape.utf8CodeUnitCount))
        start = index + length
      }
      index += length
    }
    bytes.append(contentsOf: text[start..<text.count])
  }

  private mutating func appendControl(_ byte: UInt8) {
    let digits = Array("0123456789abcdef".utf8)
    bytes.append(contentsOf: "\\u00".utf8)
    bytes.append(digits[Int(byte >> 4)])
    bytes.append(digits[Int(byte & 15)])
  }
}
