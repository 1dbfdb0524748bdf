// SPDX-License-Identifier: Apache-2.0

/// Reads a number of bytes, or one with a unit, powers of 1024 as in sizes of other options: `20G`, `1m`.
///
/// - Returns: the bytes; `nil` if the text is no such number, or has more than 63 bits.
package func parseSize(_ text: String) -> Int64? {
  // Bytes, not characters: some become several when they are made capital ones.
  var digits = Substring(text).utf8
  var shift = 0
  if let last = digits.last, let unit = Array("KMGT".utf8).firstIndex(of: last & ~0x20) {
    digits.removeLast()
    shift = 10 * (unit + 1)
  }
  guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(Substring(digits)) else {
    return nil
  }
  let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
  return overflow ? nil : bytes
}
