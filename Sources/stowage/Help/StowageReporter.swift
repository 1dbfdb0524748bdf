// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// Prints what a parse of `stowage` has to say: help that was asked for on standard output, a mistake as two lines on standard
/// error.
final class StowageReporter: OptionParser.Reporter {
  private let console: Console
  private let command: (definition: CommandDefinition, typedAs: String)?
  private let options: [String]
  /// Whether all is said: a mistake in a group of letters comes as several.
  private var isDone = false

  /// - Parameter command: nil for the words before the command.
  init(_ console: Console, _ command: (CommandDefinition, String)?, _ values: OptionValues) {
    self.console = console
    self.command = command
    options = values.definitions.flatMap(\.names) + ["--help"]
  }

  func printHelp() {
    guard !isDone else { return }
    isDone = true
    console.write(command.map { HelpPage.text(for: $0.definition, typedAs: $0.typedAs) } ?? FrontPage.text())
  }

  func report(_ problem: OptionProblem) { complain(problem.text(among: options)) }

  /// Says what is wrong with the words, and where help is.
  func complain(_ text: String) {
    guard !isDone else { return }
    isDone = true
    let word = command?.typedAs
    console.printError("stowage\(word.map { " \($0)" } ?? ""): \(text)")
    console.printError("See \"stowage \(word.map { "help \($0)" } ?? "--help")\".")
  }

  func warn(_ text: String) { console.printError(text) }
}
