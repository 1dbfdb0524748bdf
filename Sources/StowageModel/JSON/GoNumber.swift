// SPDX-License-Identifier: Apache-2.0

/// Numbers as the reference writes them after reading them as 64-bit floats (on-disk-format 4.1).
enum GoNumber {
  /// Shortest digits that read back the same; plain from 1e-6 up to below 1e21, else with an exponent of a sign and at
  /// least two digits. A number beyond the range of a float keeps its text.
  static func normalized(_ text: String) -> String {
    guard let value = Double(text), value.isFinite else { return text }
    if value == 0 { return value.sign == .minus ? "-0" : "0" }
    let (digits, exponent) = decimal(value.magnitude)
    let sign = value < 0 ? "-" : ""
    let magnitude = value.magnitude
    return sign + (magnitude < 1e-6 || magnitude >= 1e21 ? scientific(digits, exponent) : plain(digits, exponent))
  }

  /// The digits without leading and trailing zeros, and the power of ten of the first one.
  private static func decimal(_ value: Double) -> (digits: [UInt8], exponent: Int) {
    var digits: [UInt8] = []
    var exponent = 0
    var point: Int?
    let text = Array(value.description.utf8)
    for (index, byte) in text.enumerated() {
      if byte == 0x2E {
        point = digits.count
      } else if byte == 0x65 {
        exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
        break
      } else {
        digits.append(byte)
      }
    }
    exponent += (point ?? digits.count) - 1
    let leading = digits.prefix { $0 == 0x30 }.count
    digits.removeFirst(leading)
    exponent -= leading
    while digits.last == 0x30 { digits.removeLast() }
    return (digits, exponent)
  }

  private static func scientific(_ digits: [UInt8], _ exponent: Int) -> String {
    var out = String(decoding: digits.prefix(1), as: UTF8.self)
    if digits.count > 1 { out += "." + String(decoding: digits.dropFirst(), as: UTF8.self) }
    let power = String(exponent.magnitude)
    return out + (exponent < 0 ? "e-" : "e+") + (power.utf8.count < 2 ? "0" : "") + power
  }

  private static func plain(_ digits: [UInt8], _ exponent: Int) -> String {
    let text = String(decoding: digits, as: UTF8.self)
    if exponent < 0 { return "0." + String(repeating: "0", count: -exponent - 1) + text }
    if digits.count <= exponent + 1 { return text + String(repeating: "0", count: exponent + 1 - digits.count) }
    return String(decoding: digits[...exponent], as: UTF8.self) + "."
      + String(decoding: digits[(exponent + 1)...], as: UTF8.self)
  }
}
