// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// What a command lists, and the ways to show it: a table, JSON, identifiers only, a template.
struct Listing: Sendable {
  /// One row.
  struct Row: Sendable {
    /// For the table.
    let cells: [String]
    /// For templates: names of fields as in Podman's.
    let fields: JSONValue
    /// For programs: stable; nil for a further row about the same object.
    let document: JSONValue?
    /// What `--quiet` prints; nil for nothing.
    let identifier: String?
  }

  static let quiet = OptionDefinition("--quiet", "-q", usage: "Only print IDs")
  static let json = OptionDefinition("--json", "-j", usage: "Print one JSON document")
  static let format = OptionDefinition(
    "--format", kind: .text(), usage: "json, or a template such as \"{{.ID}}\" or \"table {{.ID}} {{.Size}}\"",
    values: ["json", "table"])
  static let noHeading = OptionDefinition("--noheading", "-n", usage: "Leave out the headings")
  static let noTruncation = OptionDefinition("--no-trunc", usage: "Print whole IDs, and cut nothing")
  /// The options of all listings.
  static let options = [quiet, json, format, noHeading, noTruncation, Terminal.option]

  let columns: [Table.Column]
  let rows: [Row]
  /// Headings of fields in `--format 'table …'`, where they are not the field's name in capitals.
  var headings: [String: String] = [:]

  /// Prints a table, or in the way that the options ask for.
  ///
  /// - Throws: `usage`, before anything is printed, for a format or colour that makes no sense.
  func print(_ context: CommandContext) throws(StorageError) {
    let options = context.options
    let terminal = try Terminal(color: options[text: Terminal.option])
    let hasHeading = !options[flag: Listing.noHeading]
    if try printForPrograms(context, terminal, hasHeading: hasHeading) { return }
    var table = Table(columns: columns, rows: rows.map(\.cells))
    table.hasHeading = hasHeading
    context.console.write(table.text(for: options[flag: Listing.noTruncation] ? terminal.unlimited : terminal))
  }

  /// Prints the rows' cells, which are texts of lines, with an empty line between two, or in the way that the options ask for.
  func printTexts(_ context: CommandContext, _ terminal: Terminal) throws(StorageError) {
    if try printForPrograms(context, terminal, hasHeading: true) { return }
    context.console.write(rows.map { $0.cells.joined() }.joined(separator: "\n"))
  }

  /// - Returns: false if the options ask for the form for people.
  private func printForPrograms(_ context: CommandContext, _ terminal: Terminal, hasHeading: Bool) throws(StorageError)
    -> Bool
  {
    let options = context.options
    let format = options[text: Listing.format]
    if options[flag: Listing.json] || format == "json" {
      context.console.print(JSONValue.array(rows.compactMap(\.document)).compactText)
    } else if options[flag: Listing.quiet] {
      var seen: Set<String> = []
      for id in rows.compactMap(\.identifier) where seen.insert(id).inserted { context.console.print(printable(id)) }
    } else if let format = given(format), format != "table" {
      context.console.write(try text(format, terminal, hasHeading: hasHeading))
    } else {
      return false
    }
    return true
  }

  /// The rows by a template.
  func text(_ format: String, _ terminal: Terminal, hasHeading: Bool) throws(StorageError) -> String {
    let isTable = format.hasPrefix("table ") || format.hasPrefix("table\t") || format.hasPrefix("table\\t")
    let template = try Template(isTable ? String(format.dropFirst(format.hasPrefix("table\\t") ? 7 : 6)) : format)
    guard template.hasActions else {
      throw StorageError(
        .usage, "--format \(goQuoted(format)): must be json, or a template with fields such as {{.ID}}")
    }
    if !isTable {
      var lines = ""
      let isForTerminal = terminal.width != nil
      for row in rows { lines += try template.text(for: row.fields, isForTerminal: isForTerminal) + "\n" }
      return lines
    }
    let parts = template.cells
    var table = Table(columns: parts.map { Table.Column(heading($0)) }, rows: [])
    table.hasHeading = hasHeading
    for row in rows {
      var cells: [String] = []
      for part in parts { cells.append(try part.text(for: row.fields)) }
      table.rows.append(cells)
    }
    return table.text(for: terminal.unlimited)
  }

  private func heading(_ cell: Template) -> String {
    cell.parts.map { part in
      switch part {
      case .text(let text): text
      case .action(let expression, _): expression.fieldName.map { headings[$0] ?? $0.uppercased() } ?? ""
      }
    }.joined()
  }
}

extension Terminal {
  /// The same without a limit of width.
  var unlimited: Terminal { Terminal(width: nil, hasColor: hasColor, hasBoxes: hasBoxes) }
}

extension Template {
  init(parts: [Part]) { self.parts = parts }

  /// The templates of the cells of a table: white space between actions separates them.
  fileprivate var cells: [Template] {
    var cells: [[Part]] = [[]]
    for part in parts {
      guard case .text(let text) = part else {
        cells[cells.count - 1].append(part)
        continue
      }
      let pieces = text.split(omittingEmptySubsequences: false) { $0 == " " || $0 == "\t" }
      for (index, piece) in pieces.enumerated() {
        if index > 0 { cells.append([]) }
        if !piece.isEmpty { cells[cells.count - 1].append(.text(String(piece))) }
      }
    }
    return cells.filter { !$0.isEmpty }.map { Template(parts: $0) }
  }
}

extension Template.Expression {
  /// The last name of the first field in it.
  fileprivate var fieldName: String? {
    switch self {
    case .field(let names): names.last
    case .literal: nil
    case .call(_, let arguments): arguments.lazy.compactMap(\.fieldName).first
    }
  }
}
