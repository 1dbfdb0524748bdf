// SPDX-License-Identifier: Apache-2.0

/// Tables for people.
enum TextTable {
  /// Rows as lines, columns padded to the widest cell and two spaces apart; the last column is not padded.
  static func format(_ rows: [[String]]) -> String {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.unicodeScalars.count)
      }
    }
    var text = ""
    for row in rows {
      for (column, cell) in row.enumerated() {
        let isLast = column == row.count - 1
        text += cell
        if !isLast { text += String(repeating: " ", count: widths[column] - cell.unicodeScalars.count + 2) }
      }
      text += "\n"
    }
    return text
  }
}

/// Bytes in the largest binary unit that leaves at least one whole, with one decimal: `1.5 GiB`.
func byteText(_ bytes: UInt64) -> String {
  let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
  var (value, unit) = (bytes, 0)
  var rest: UInt64 = 0
  while value >= 1024, unit < units.count - 1 {
    rest = value % 1024
    value /= 1024
    unit += 1
  }
  return unit == 0 ? "\(value) B" : "\(value).\(rest * 10 / 1024) \(units[unit])"
}
