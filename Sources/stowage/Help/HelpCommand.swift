// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel

/// `help`: the front page, or the page of one command.
enum HelpCommand {
  static let definition = CommandDefinition(
    "help", arguments: .optional, synopsis: "[command]", usage: "Show all commands, or how one is used"
  ) { (_: OptionValues, arguments: [String], console: Console) throws(StorageError) in
    guard let word = arguments.first else {
      console.write(FrontPage.text())
      return .success
    }
    guard let command = CommandTable.command(named: word, of: .stowage) else {
      StowageReporter(console, nil, OptionValues([])).complain(unknown(word))
      return .usage
    }
    console.write(HelpPage.text(for: command, typedAs: word))
    return .success
  }

  /// What is said about a word that is no command.
  static func unknown(_ word: String) -> String {
    if ofRunning.contains(word) {
      return "\(goQuoted(word)) is not here: running containers is for Podman, from the same store: podman \(word)"
    }
    let names = CommandTable.commands(of: .stowage).flatMap(\.names)
    return "unknown command \(goQuoted(word))" + Suggestion.question(for: word, among: names)
  }

  /// What people look for who know Podman.
  private static let ofRunning: Set<String> = [
    "attach", "build", "exec", "kill", "logs", "pause", "restart", "run", "start", "stop", "top", "wait",
  ]
}
