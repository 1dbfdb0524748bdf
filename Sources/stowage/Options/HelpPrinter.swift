// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// Composes help texts, byte for byte those of the reference (cli 5).
///
/// A help text has two parts because the reference writes them to different streams: the text part to standard output
/// and the options part, nearly always, to standard error.
struct HelpPrinter {
  /// The home directory that defaults are shortened by (`~`), if there is one.
  let home: String?

  /// Main help up to the line `Options:`.
  ///
  /// - Parameter commands: in the order in which they appear.
  static func mainText(_ commands: [CommandDefinition]) -> String {
    var text = "Usage: containers-storage command [options [...]]\n\nCommands:\n\n"
    for command in commands { text += commandLine(command) }
    return text + "\nOptions:\n"
  }

  /// One command's help up to the line `Options:`.
  ///
  /// - Parameter word: the command as typed, maybe an alias.
  static func text(for command: CommandDefinition, typedAs word: String) -> String {
    "Usage: containers-storage \(word) \(command.synopsis)\n\n\(command.usage)\n\nOptions:\n"
  }

  /// The options part, with its leading empty line; without what the reference does not have.
  func optionsText(_ values: OptionValues) -> String {
    let shown = values.definitions.filter { !$0.isAdditional }
    let rows = shown.sorted(by: HelpPrinter.isOrdered).map { definition in
      (cell: cell(for: definition, value: values[definition]), usage: definition.usage)
    }
    let widest = rows.reduce(0) { max($0, $1.cell.unicodeScalars.count) }
    let width = max(20, widest + 3)
    return rows.reduce("\n") { text, row in
      text + padded(row.cell, to: width) + " " + row.usage + "\n"
    }
  }

  private func cell(for definition: OptionDefinition, value: OptionValues.Value) -> String {
    var cell = "  " + definition.names.joined(separator: ", ")
    var shown = value.helpText
    if let home, shown.utf8.starts(with: home.utf8) {
      shown = "~" + String(Substring(shown.utf8.dropFirst(home.utf8.count)))
    }
    if !["", "false", "0"].contains(shown) { cell += "=" + shown }
    return cell
  }

  private static func commandLine(_ command: CommandDefinition) -> String {
    "  " + padded(command.names[0], to: 30) + command.usage + "\n"
  }

  /// Names without dashes, case ignored; ties by case.
  private static func isOrdered(_ one: OptionDefinition, _ other: OptionDefinition) -> Bool {
    let names = (String(one.key.drop { $0 == "-" }), String(other.key.drop { $0 == "-" }))
    let folded = (names.0.lowercased(), names.1.lowercased())
    return folded.0 == folded.1 ? names.0 < names.1 : folded.0 < folded.1
  }
}

/// The text followed by as many spaces as reach `width` characters.
func padded(_ text: String, to width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
}
