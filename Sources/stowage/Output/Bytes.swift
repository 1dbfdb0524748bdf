// SPDX-License-Identifier: Apache-2.0

/// A number of bytes as people read it, everywhere in this program: three digits in units of powers of 1000, as in Podman's
/// tables: `812 B`, `1.23 kB`, `34.5 MB`, `103 GB`.
func bytesText(_ bytes: some BinaryInteger) -> String {
  let bytes = max(0, Int64(clamping: bytes))
  if bytes < 1000 { return "\(bytes) B" }
  // Digits instead of products: the largest numbers fill 63 bits.
  let digits = String(bytes).utf8.map { Int($0) - 0x30 }
  var exponent = digits.count - 1
  var leading = digits[0] * 100 + digits[1] * 10 + digits[2] + (digits[3] >= 5 ? 1 : 0)
  if leading == 1000 { (leading, exponent) = (100, exponent + 1) }
  let unit = ["B", "kB", "MB", "GB", "TB", "PB", "EB"][exponent / 3]
  let (whole, decimals) = ("\(leading)".prefix(exponent % 3 + 1), "\(leading)".dropFirst(exponent % 3 + 1))
  return decimals.isEmpty ? "\(whole) \(unit)" : "\(whole).\(decimals) \(unit)"
}
