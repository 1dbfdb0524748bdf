// SPDX-License-Identifier: Apache-2.0

/// Builds the lines of a tar-split file in one growing piece of memory (archive-and-diff 7.2).
struct JSONLineBuffer: ~Copyable {
  private var memory: UnsafeMutableRawBufferPointer
  private(set) var count = 0

  init(capacity: Int) {
    memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
  }

  deinit { memory.deallocate() }

  /// What was appended since `removeAll()`; valid until the next change.
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<count]) }

  mutating func removeAll() { count = 0 }

  mutating func append(_ text: StaticString) {
    reserve(text.utf8CodeUnitCount)
    text.withUTF8Buffer { append(unchecked: UnsafeRawBufferPointer($0)) }
  }

  mutating func append(_ number: Int64) {
    reserve(20)
    var digits = number.magnitude
    if number < 0 { appendByte(UInt8(ascii: "-")) }
    var length = 1
    var scale = digits / 10
    while scale > 0 {
      length += 1
      scale /= 10
    }
    for index in stride(from: count + length - 1, through: count, by: -1) {
      memory[index] = UInt8(ascii: "0") + UInt8(digits % 10)
      digits /= 10
    }
    count += length
  }

  /// Appends base64 with padding, without quotes.
  mutating func append(base64 source: UnsafeRawBufferPointer) {
    reserve(source.count / 3 * 4 + 4)
    guard let input = source.baseAddress, let output = memory.baseAddress?.advanced(by: count) else { return }
    count += Base64.encode(input, source.count, to: output)
  }

  /// Appends a quoted string with the escapes of Go's encoder. `text` has to be UTF-8.
  mutating func append(quoted text: UnsafeRawBufferPointer) {
    reserve(text.count * 6 + 2)
    appendByte(UInt8(ascii: "\""))
    for index in text.indices {
      let byte = text[index]
      if byte == 0xE2, index + 2 < text.count, text[index + 1] == 0x80, text[index + 2] & 0xFE == 0xA8 {
        // U+2028 and U+2029; their other two bytes are dropped below.
        append(unchecked: text[index + 2] == 0xA8 ? "\\u2028" : "\\u2029")
      } else if byte & 0xFE == 0xA8, index >= 2, text[index - 1] == 0x80, text[index - 2] == 0xE2 {
        continue
      } else if byte == 0x80, index >= 1, index + 1 < text.count, text[index - 1] == 0xE2,
        text[index + 1] & 0xFE == 0xA8
      {
        continue
      } else {
        appendEscaped(byte)
      }
    }
    appendByte(UInt8(ascii: "\""))
  }

  private mutating func appendEscaped(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): append(unchecked: "\\\"")
    case UInt8(ascii: "\\"): append(unchecked: "\\\\")
    case 0x08: append(unchecked: "\\b")
    case 0x0C: append(unchecked: "\\f")
    case 0x0A: append(unchecked: "\\n")
    case 0x0D: append(unchecked: "\\r")
    case 0x09: append(unchecked: "\\t")
    case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"), 0..<0x20:
      append(unchecked: "\\u00")
      appendByte(Self.hexadecimal(byte >> 4))
      appendByte(Self.hexadecimal(byte & 15))
    default: appendByte(byte)
    }
  }

  private static func hexadecimal(_ digit: UInt8) -> UInt8 {
    digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
  }

  private mutating func append(unchecked text: StaticString) {
    text.withUTF8Buffer { append(unchecked: UnsafeRawBufferPointer($0)) }
  }

  private mutating func append(unchecked bytes: UnsafeRawBufferPointer) {
    UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
    count += bytes.count
  }

  private mutating func appendByte(_ byte: UInt8) {
    memory[count] = byte
    count += 1
  }

  private mutating func reserve(_ extra: Int) {
    guard memory.count - count < extra else { return }
    let larger = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(memory.count * 2, count + extra), alignment: 16)
    larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
    memory.deallocate()
    memory = larger
  }
}
