// SPDX-License-Identifier: Apache-2.0
package import StowageModel

/// Reads a span of time as the reference does: `24h`, `1h30m`, `-1.5s`; `0` needs no unit.
///
/// - Returns: whole seconds, rounded down.
/// - Throws: `usage` with the reference's text.
package func parseDuration(_ text: String) throws(StorageError) -> Int64 {
  let units: [String: Double] = [
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600,
  ]
  let invalid = StorageError(.usage, "time: invalid duration \(goQuoted(text))")
  var rest = text[...]
  var sign = 1.0
  if let first = rest.first, first == "-" || first == "+" {
    sign = first == "-" ? -1 : 1
    rest.removeFirst()
  }
  if rest == "0" { return 0 }
  if rest.isEmpty { throw invalid }
  var seconds = 0.0
  while !rest.isEmpty {
    let number = rest.prefix { $0 == "." || ($0.isASCII && $0.isNumber) }
    guard number.contains(where: \.isNumber), number.count(where: { $0 == "." }) <= 1,
      let value = Double(number.hasPrefix(".") ? "0" + number : number + (number.hasSuffix(".") ? "0" : ""))
    else { throw invalid }
    rest = rest.dropFirst(number.count)
    let unit = rest.prefix { $0 != "." && !($0.isASCII && $0.isNumber) }
    if unit.isEmpty { throw StorageError(.usage, "time: missing unit in duration \(goQuoted(text))") }
    guard let factor = units[String(unit)] else {
      throw StorageError(.usage, "time: unknown unit \(goQuoted(String(unit))) in duration \(goQuoted(text))")
    }
    seconds += value * factor
    rest = rest.dropFirst(unit.count)
  }
  // The reference counts nanoseconds in 63 bits.
  guard seconds <= 9_223_372_036 else { throw invalid }
  return Int64((sign * seconds).rounded(.down))
}
