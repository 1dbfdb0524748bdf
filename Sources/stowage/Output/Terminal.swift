import Glibc
// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel

/// What standard output can show.
struct Terminal: Sendable {
  /// Columns that tables are to fit; nil if nothing is to be cut, because no person looks.
  let width: Int?
  /// Whether headings and the like are marked by colour.
  let hasColor: Bool
  /// Whether lines of trees can be drawn with box characters, as in UTF-8 locales.
  let hasBoxes: Bool
  /// What stands for what was cut.
  var cutMark: Unicode.Scalar { hasBoxes ? "…" : "~" }

  /// Neither cut nor coloured.
  static let none = Terminal(width: nil, hasColor: false, hasBoxes: true)

  /// `auto` (the default): colour on terminals, unless `NO_COLOR` is set or `TERM` is `dumb`.
  static let option = OptionDefinition(
    "--color", kind: .text(default: "auto"), usage: "Mark headings by colour: auto, always or never",
    values: ["auto", "always", "never"])

  /// - Throws: `usage` for a choice of colour that is none.
  init(color choice: String) throws(StorageError) {
    let isTerminal = isatty(STDOUT_FILENO) == 1
    let isDumb = environment("TERM") == "dumb" || !(environment("NO_COLOR") ?? "").isEmpty
    switch choice {
    case "auto": hasColor = isTerminal && !isDumb
    case "always": hasColor = true
    case "never": hasColor = false
    default: throw StorageError(.usage, "--color \(goQuoted(choice)): must be auto, always or never")
    }
    width = isTerminal ? Terminal.columns() : nil
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment($0) }.first { !$0.isEmpty } ?? ""
    hasBoxes = !isTerminal || locale.lowercased().contains("utf")
  }

  init(width: Int?, hasColor: Bool, hasBoxes: Bool) {
    self.width = width
    self.hasColor = hasColor
    self.hasBoxes = hasBoxes
  }

  /// The text in bold, where there is colour.
  func emphasized(_ text: String) -> String { hasColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text }

  private static func columns() -> Int {
    var window = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0 else { return 80 }
    return Int(window.ws_col)
  }
}
