// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// JSON as Go's encoder passes it on, when what it was given is JSON already: the digits of numbers and the escapes of strings
/// stay, white space goes, and `<`, `>`, `&`, U+2028 and U+2029 are escaped.
package enum CompactJSON {
  /// The members of an object, values compact; of a repeated name the last value.
  ///
  /// - Throws: `RecordParseError` if it is no object.
  package static func members(of object: [UInt8]) throws(RecordParseError) -> KeyedValues<[UInt8]> {
    let result = object.withUnsafeBufferPointer { buffer -> Result<KeyedValues<[UInt8]>, RecordParseError> in
      var reader = JSONReader(buffer)
      do throws(RecordParseError) {
        var members = KeyedValues<[UInt8]>()
        try reader.expect(0x7B)
        // Between the braces an object reads as a list whose elements are names with values, but for its end.
        while reader.peek() != 0x7D {
          let name = try reader.readName()
          members[name] = compact(buffer[try reader.skipValue()])
          if reader.peek() != 0x2C { break }
          try reader.expect(0x2C)
        }
        try reader.expect(0x7D)
        return .success(members)
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// A JSON text without white space between its tokens.
  package static func compact(_ text: some Collection<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var (isInString, isEscaped) = (false, false)
    for byte in text {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == 0x5C {
          isEscaped = true
        } else if byte == 0x22 {
          isInString = false
        }
      } else if byte == 0x22 {
        isInString = true
      } else if byte == 0x20 || (0x09...0x0D).contains(byte) {
        continue
      }
      append(byte, to: &bytes)
    }
    return bytes
  }

  private static func append(_ byte: UInt8, to bytes: inout [UInt8]) {
    switch byte {
    case 0x3C: bytes += Array("\\u003c".utf8)
    case 0x3E: bytes += Array("\\u003e".utf8)
    case 0x26: bytes += Array("\\u0026".utf8)
    case 0xA8...0xA9 where bytes.suffix(2).elementsEqual([0xE2, 0x80]):
      bytes.removeLast(2)
      bytes += Array((byte == 0xA8 ? "\\u2028" : "\\u2029").utf8)
    default: bytes.append(byte)
    }
  }
}
