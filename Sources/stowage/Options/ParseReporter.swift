// SPDX-License-Identifier: Apache-2.0

/// Prints what a parse has to say: help on both streams, errors on standard error (cli 5 and 6).
final class ParseReporter: OptionParser.Reporter {
  /// What is being parsed: the words before the command, or those behind it.
  enum Scope {
    case main
    case command(CommandDefinition, typedAs: String)
  }

  private let console: Console
  private let help: HelpPrinter
  private let scope: Scope
  private let values: OptionValues
  private let programName: String

  /// - Parameter values: the values before the parse, which help shows as defaults.
  init(_ console: Console, _ help: HelpPrinter, _ scope: Scope, _ values: OptionValues, programName: String) {
    self.console = console
    self.help = help
    self.scope = scope
    self.values = values
    self.programName = programName
  }

  func printHelp() {
    switch scope {
    case .main: console.write(HelpPrinter.mainText(CommandTable.reference))
    case .command(let command, let word): console.write(HelpPrinter.text(for: command, typedAs: word))
    }
    console.writeError(help.optionsText(values))
    if case .main = scope, help.showsAdditional {
      console.writeError(HelpPrinter.additionalText(CommandTable.own))
    }
  }

  func reportUsageError(_ text: String) {
    let word =
      switch scope {
      case .main: "containers-storage"
      case .command(_, let word): word
      }
    let program = programName == word ? word : "\(programName) \(word)"
    console.writeError("\(text)\nSee '\(program) --help'.\n")
  }

  func warn(_ text: String) { console.printError(text) }
}
