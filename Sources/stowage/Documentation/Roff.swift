// SPDX-License-Identifier: Apache-2.0

/// Composes one page in the macros of man(7).
struct Roff {
  private(set) var text: String
  private var isAtSectionStart = false

  /// - Parameter section: of the manual: 1 for commands.
  init(title: String, section: Int, source: String) {
    text = ".\\\" SPDX-License-Identifier: Apache-2.0\n"
    text += ".TH \(Roff.argument(title.uppercased())) \(section) \"\" \(Roff.argument(source)) \"Stowage\"\n"
  }

  /// Begins a section.
  mutating func section(_ title: String) {
    text += ".SH \(Roff.argument(title.uppercased()))\n"
    isAtSectionStart = true
  }

  /// Adds paragraphs of plain text, divided by empty lines.
  mutating func paragraphs(_ plain: String) {
    for part in plain.split(separator: "\n\n") {
      if !isAtSectionStart { text += ".PP\n" }
      isAtSectionStart = false
      text += Roff.escaped(String(part)) + "\n"
    }
  }

  /// Adds a line, in a section of such lines, in which the first words are bold.
  mutating func line(bold: String, _ rest: String) {
    if !isAtSectionStart { text += ".br\n" }
    isAtSectionStart = false
    text += "\\fB\(Roff.escaped(bold))\\fR"
    text += rest.isEmpty ? "\n" : " \(Roff.escaped(rest))\n"
  }

  /// Adds an entry of a list: what it is about, in bold, and what is said about it.
  mutating func entry(_ terms: [String], value: String? = nil, _ description: String) {
    let names = terms.map { "\\fB\(Roff.escaped($0))\\fR" }.joined(separator: ", ")
    isAtSectionStart = false
    text += ".TP\n\(names)" + (value.map { " \\fI\(Roff.escaped($0))\\fR" } ?? "") + "\n\(Roff.escaped(description))\n"
  }

  /// Adds references to other pages of section 1, and of others if they name it: `podman(1)`.
  mutating func references(_ pages: [String]) {
    text +=
      pages.map { page in
        let parts = page.split(separator: "(")
        return "\\fB\(Roff.escaped(String(parts[0])))\\fR" + (parts.count > 1 ? "(\(parts[1])" : "(1)")
      }.joined(separator: ",\n") + "\n"
  }

  private static func argument(_ text: String) -> String { "\"\(escaped(text))\"" }

  private static func escaped(_ text: String) -> String {
    var out = ""
    var isAtLineStart = true
    for character in text {
      switch character {
      case "\\": out += "\\e"
      case "-": out += "\\-"
      case "\"": out += "\\(dq"
      case "." where isAtLineStart, "'" where isAtLineStart: out += "\\&\(character)"
      default: out.append(character)
      }
      isAtLineStart = character == "\n"
    }
    return out
  }
}
