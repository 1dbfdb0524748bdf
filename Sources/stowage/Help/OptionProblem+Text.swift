// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel

extension OptionProblem {
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
