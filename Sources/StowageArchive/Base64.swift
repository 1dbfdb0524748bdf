// SPDX-License-Identifier: Apache-2.0

/// Standard base64 with padding, quick enough for the megabytes of headers in a tar-split file.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Two characters for each 12 bits, so that 3 bytes take two look-ups.
  private static let pairs: [UInt16] = (0..<4096).map { bits in
    (UInt16(alphabet[bits >> 6]) | UInt16(alphabet[bits & 63]) << 8).littleEndian
  }

  /// The 6 bits of each character, 64 for all others.
  private static let values: [UInt8] = {
    var table = [UInt8](repeating: 64, count: 256)
    for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
    return table
  }()

  /// Writes the text of `count` bytes to `output`, which has room for it; returns its length.
  static func encode(_ input: UnsafeRawPointer, _ count: Int, to output: UnsafeMutableRawPointer) -> Int {
    pairs.withUnsafeBufferPointer { pairs in
      var source = 0
      var target = 0
      while source + 3 <= count {
        let bits =
          UInt32(input.load(fromByteOffset: source, as: UInt8.self)) << 16
          | UInt32(input.load(fromByteOffset: source + 1, as: UInt8.self)) << 8
          | UInt32(input.load(fromByteOffset: source + 2, as: UInt8.self))
        output.storeBytes(of: pairs[Int(bits >> 12)], toByteOffset: target, as: UInt16.self)
        output.storeBytes(of: pairs[Int(bits & 4095)], toByteOffset: target + 2, as: UInt16.self)
        source += 3
        target += 4
      }
      guard source < count else { return target }
      let first = input.load(fromByteOffset: source, as: UInt8.self)
      let second = source + 1 < count ? input.load(fromByteOffset: source + 1, as: UInt8.self) : 0
      let tail = [
        alphabet[Int(first >> 2)], alphabet[Int((first & 3) << 4 | second >> 4)],
        source + 1 < count ? alphabet[Int((second & 15) << 2)] : UInt8(ascii: "="), UInt8(ascii: "="),
      ]
      for (index, character) in tail.enumerated() {
        output.storeBytes(of: character, toByteOffset: target + index, as: UInt8.self)
      }
      return target + 4
    }
  }

  /// Appends the bytes that `text` stands for; false if it is not base64.
  static func decode(_ text: UnsafeRawBufferPointer, into result: inout [UInt8]) -> Bool {
    guard text.count.isMultiple(of: 4) else { return false }
    guard text.count > 0 else { return true }
    var padding = 0
    if text[text.count - 1] == UInt8(ascii: "=") { padding = text[text.count - 2] == UInt8(ascii: "=") ? 2 : 1 }
    let whole = text.count / 4 - (padding > 0 ? 1 : 0)
    let start = result.count
    result.append(contentsOf: repeatElement(0, count: whole * 3))
    var isValid = true
    values.withUnsafeBufferPointer { values in
      result.withUnsafeMutableBytes { output in
        var bad: UInt8 = 0
        for group in 0..<whole {
          let one = values[Int(text[group * 4])]
          let two = values[Int(text[group * 4 + 1])]
          let three = values[Int(text[group * 4 + 2])]
          let four = values[Int(text[group * 4 + 3])]
          bad |= one | two | three | four
          output[start + group * 3] = one << 2 | two >> 4
          output[start + group * 3 + 1] = two << 4 | three >> 2
          output[start + group * 3 + 2] = three << 6 | four
        }
        isValid = bad & 64 == 0
      }
    }
    guard isValid else { return false }
    guard padding > 0 else { return true }
    let one = values[Int(text[whole * 4])]
    let two = values[Int(text[whole * 4 + 1])]
    guard (one | two) & 64 == 0 else { return false }
    result.append(one << 2 | two >> 4)
    if padding == 1 {
      let three = values[Int(text[whole * 4 + 2])]
      guard three & 64 == 0 else { return false }
      result.append(two << 4 | three >> 2)
    }
    return true
  }
}
