// SPDX-License-Identifier: Apache-2.0
import StowageModel

/// What is wrong with an option of a command line.
enum OptionProblem: Error, Equatable {
  /// No option of that name is defined.
  case unknown(String)
  /// A word such as `-=x`.
  case syntax(String)
  /// The words end where a value should be.
  case missingValue(String)
  /// The value of a flag is neither true nor false.
  case notBoolean(String, option: String)
  /// It stands behind an argument, where options are not taken.
  case late(String)

  /// As the reference has it (cli 6).
  var referenceText: String {
    switch self {
    case .unknown(let name): return "flag provided but not defined: \(name)"
    case .syntax(let word): return "bad flag syntax: \(word)"
    case .missingValue(let name): return "flag needs an argument: \(name)"
    case .notBoolean(let text, let name):
      let quoted = goQuoted(text)
      return "invalid boolean value \(quoted) for  \(name): strconv.ParseBool: parsing \(quoted): invalid syntax"
    case .late(let word):
      return "flag provided behind an argument: \(word) (options come first; behind \"--\" it is no option)"
    }
  }

  /// As `stowage` says it.
  ///
  /// - Parameter options: the spellings that are known here.
  func text(among options: [String]) -> String {
    switch self {
    case .unknown(let name): "unknown option \(goQuoted(name))" + Suggestion.question(for: name, among: options)
    case .syntax(let word): "\(goQuoted(word)) is no option"
    case .missingValue(let name): "option \(name) needs a value"
    case .notBoolean(let text, let name): "option \(name) is true or false, not \(goQuoted(text))"
    case .late(let word):
      "unknown option \(goQuoted(word))" + Suggestion.question(for: word, among: options)
        + "; what is no option stands behind \"--\""
    }
  }
}
