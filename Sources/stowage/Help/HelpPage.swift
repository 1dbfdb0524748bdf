// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// What `stowage help COMMAND` shows.
enum HelpPage {
  private static let width = 79

  /// The page of one command.
  ///
  /// - Parameter word: the command as typed, maybe an alias.
  static func text(for command: CommandDefinition, typedAs word: String) -> String {
    var text = "Usage: stowage \(usageLine(of: command, typedAs: word))\n\n\(command.usage).\n"
    for paragraph in paragraphs(of: command.details) { text += "\n" + wrapped(paragraph, indent: 0) }
    let others = command.names.filter { $0 != word }
    if !others.isEmpty { text += "\nOther names: \(others.joined(separator: ", "))\n" }
    if !command.options.isEmpty {
      let rows = command.options.sorted { $0.plainName < $1.plainName }.map(row)
      text += "\nOptions:\n" + list(rows, width: min(28, (rows.map(\.cell.count).max() ?? 0) + 2))
    }
    return text + "\n\"stowage --help\" shows the options of all commands.\n"
  }

  private static func usageLine(of command: CommandDefinition, typedAs word: String) -> String {
    let mark = "[options [...]]"
    let synopsis = command.synopsis.hasPrefix(mark) ? String(command.synopsis.dropFirst(mark.count)) : command.synopsis
    let arguments = synopsis.split(separator: " ").joined(separator: " ")
    return [word, command.options.isEmpty ? "" : "[OPTIONS]", arguments].filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// An option's spellings, the short one first, and what it is for.
  static func row(_ option: OptionDefinition) -> (cell: String, usage: String) {
    let names = option.names.reversed().joined(separator: ", ")
    return (names + (option.takesValue ? " VALUE" : ""), option.usage)
  }

  /// Rows of two columns, the second one wrapped. A first cell that is too wide has a line of its own.
  static func list(_ rows: [(cell: String, usage: String)], width: Int) -> String {
    rows.reduce(into: "") { text, row in
      let rest = wrapped(row.usage, indent: width + 2)
      if row.cell.count < width {
        text += "  " + padded(row.cell, to: width) + rest.drop { $0 == " " }
      } else {
        text += "  \(row.cell)\n\(rest)"
      }
    }
  }

  /// The words of a paragraph in lines that begin with spaces.
  private static func wrapped(_ paragraph: String, indent: Int) -> String {
    let margin = String(repeating: " ", count: indent)
    var (lines, line): ([String], String) = ([], margin)
    for word in paragraph.split(whereSeparator: \.isWhitespace) {
      if line.count > indent, line.count + 1 + word.count > width {
        lines.append(line)
        line = margin
      }
      line += (line.count > indent ? " " : "") + word
    }
    return (lines + [line]).map { $0 + "\n" }.joined()
  }

  private static func paragraphs(of text: String) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.split { $0.allSatisfy(\.isWhitespace) }.map { $0.joined(separator: "\n") }
  }
}
