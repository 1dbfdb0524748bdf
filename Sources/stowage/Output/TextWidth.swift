// SPDX-License-Identifier: Apache-2.0
import StowageModel

/// How many columns of a terminal a text takes. Marks that combine with what is before them take none, the characters of East
/// Asian scripts and pictures two.
func textWidth(_ text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + scalarWidth($1) } }

private func scalarWidth(_ scalar: Unicode.Scalar) -> Int {
  if scalar.value < 0x300 { return 1 }
  switch scalar.properties.generalCategory {
  case .nonspacingMark, .enclosingMark, .format: return 0
  default: break
  }
  switch scalar.value {
  case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
    0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
    return 2
  default: return 1
  }
}

/// A text of a record or of an image as it may be shown: what could drive the terminal or turn the direction of writing is
/// escaped.
func printable(_ text: String) -> String {
  text.unicodeScalars.allSatisfy(isHarmless) ? text : String(goQuoted(text).dropFirst().dropLast())
}

/// JSON as it may be shown: what JSON lets stand in strings and ``printable(_:)`` does not is escaped; the value is the same.
func printable(json: [UInt8]) -> String {
  let text = String(decoding: json, as: UTF8.self)
  if text.unicodeScalars.allSatisfy(isHarmless) { return text }
  return text.unicodeScalars.reduce(into: "") { result, scalar in
    if isHarmless(scalar) { return result.unicodeScalars.append(scalar) }
    for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
      let digits = String(unit, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
  }
}

private func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
  if scalar.value < 0x7F { return scalar.value >= 0x20 }
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator: return false
  default: return true
  }
}

/// Where a text loses what does not fit.
enum Cut: Sendable {
  case middle
  case end
}

/// A text in at most `width` columns, with a mark for what was left out.
func shortened(_ text: String, to width: Int, _ cut: Cut, mark: Unicode.Scalar = "…") -> String {
  if textWidth(text) <= width { return text }
  let room = max(0, width - 1)
  let scalars = Array(text.unicodeScalars)
  let tail = cut == .middle ? fitting(scalars.reversed(), in: room / 2) : []
  let head = fitting(scalars, in: room - tail.reduce(0) { $0 + scalarWidth($1) })
  var result = String.UnicodeScalarView(head)
  result.append(mark)
  result.append(contentsOf: tail.reversed())
  return String(result)
}

private func fitting(_ scalars: [Unicode.Scalar], in width: Int) -> [Unicode.Scalar] {
  var used = 0
  return Array(
    scalars.prefix { scalar in
      used += scalarWidth(scalar)
      return used <= width
    })
}
