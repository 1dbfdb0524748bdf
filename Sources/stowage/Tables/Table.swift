// SPDX-License-Identifier: Apache-2.0

/// A table for people: aligned, and no wider than the terminal.
struct Table: Sendable {
  /// One column.
  struct Column: Sendable {
    enum Alignment: Sendable {
      case left
      case right
    }

    let title: String
    let alignment: Alignment
    /// How its cells may be cut; nil for what is of no use in part: identifiers, sizes, ages.
    let cut: Cut?
    /// Columns of lower rank go first when the terminal is too narrow for all of them. Those of the highest rank stay.
    let rank: Int
    /// How wide its cells should be left, if they need it, while there are columns of lower rank to leave out.
    let wanted: Int

    init(_ title: String, _ alignment: Alignment = .left, cut: Cut? = nil, rank: Int = 9, wanted: Int = 10) {
      self.title = title
      self.alignment = alignment
      self.cut = cut
      self.rank = rank
      self.wanted = wanted
    }

    /// The least width its cells may be cut to.
    var leastWidth: Int { max(10, textWidth(title)) }
  }

  let columns: [Column]
  /// Cells, as many as there are columns.
  var rows: [[String]]
  var hasHeading = true

  private static let gap = 2
  /// No column is padded beyond this: one cell out of a damaged record must not make each line as long as itself.
  private static let widest = 500

  /// The table as lines.
  func text(for terminal: Terminal) -> String {
    let cells = rows.map { $0.map(printable) }
    var widths = columns.enumerated().map { index, column in
      cells.reduce(hasHeading ? textWidth(column.title) : 0) { max($0, min(Table.widest, textWidth($1[index]))) }
    }
    let shown = fit(&widths, in: terminal.width)
    let mark = terminal.width == nil ? nil : terminal.cutMark
    var text = ""
    if hasHeading { text += terminal.emphasized(line(columns.map(\.title), shown, widths, mark: mark)) + "\n" }
    for row in cells { text += line(row, shown, widths, mark: mark) + "\n" }
    return text
  }

  /// Makes columns narrower, or leaves some out, until all fits.
  ///
  /// - Returns: the columns to show.
  private func fit(_ widths: inout [Int], in limit: Int?) -> [Int] {
    var shown = Array(columns.indices)
    guard let limit else { return shown }
    func total(_ width: (Int) -> Int) -> Int { shown.reduce(-Table.gap) { $0 + width($1) + Table.gap } }
    for column in shown where columns[column].cut != nil { widths[column] = min(widths[column], limit) }
    let natural = widths
    let least = { (column: Int) in
      columns[column].cut == nil ? natural[column] : min(natural[column], columns[column].leastWidth)
    }
    let wanted = { (column: Int) in
      columns[column].cut == nil
        ? natural[column] : min(natural[column], max(columns[column].leastWidth, columns[column].wanted))
    }
    while total(wanted) > limit, let first = shown.min(by: { columns[$0].rank < columns[$1].rank }),
      shown.contains(where: { columns[$0].rank > columns[first].rank })
    {
      shown.removeAll { $0 == first }
    }
    while total({ widths[$0] }) > limit {
      // The widest gives first, so that short texts stay whole.
      let candidates = shown.filter { columns[$0].cut != nil && widths[$0] > least($0) }
      guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
    }
    return shown
  }

  /// - Parameter mark: stands for what is cut; nil if nothing is to be cut.
  private func line(_ cells: [String], _ shown: [Int], _ widths: [Int], mark: Unicode.Scalar?) -> String {
    var line = ""
    // Spaces are written only when something follows them.
    var space = 0
    for index in shown {
      let column = columns[index]
      var cell = cells[index]
      if let mark, let cut = column.cut { cell = shortened(cell, to: widths[index], cut, mark: mark) }
      let room = max(0, widths[index] - textWidth(cell))
      if column.alignment == .right { space += room }
      if !cell.isEmpty {
        line += String(repeating: " ", count: space) + cell
        space = 0
      }
      space += Table.gap + (column.alignment == .left ? room : 0)
    }
    return line
  }
}

/// The first 12 digits of an identifier, which tell it from others nearly always.
func shortID(_ id: String) -> String {
  id.utf8.count > 12 && id.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    ? String(id.prefix(12)) : id
}
