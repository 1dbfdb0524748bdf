// SPDX-License-Identifier: Apache-2.0
internal import StowageModel

/// What is wrong with an option of a command line.
package enum OptionProblem: Error, Equatable {
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
  package var referenceText: String {
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
}
