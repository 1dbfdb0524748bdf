// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel

/// A text with places for values: the part of Go's templates that listings need (`{{.ID}}`, `{{join .Names ", "}}`).
///
/// Fields may be nested (`{{.Config.User}}`), `.` is the whole value; functions are `json`, `join`, `len`, `upper` and `lower`.
/// Everything else is refused with its place. Outside of actions `\t`, `\n` and `\\` are what they are in Podman's.
struct Template: Sendable {
  /// A piece of the text.
  enum Part: Sendable, Equatable {
    case text(String)
    case action(Expression, column: Int)
  }

  indirect enum Expression: Sendable, Equatable {
    /// The names of the fields that lead to a value; none for the whole.
    case field([String])
    case literal(String)
    case call(Function, [Expression])
  }

  enum Function: String, Sendable, CaseIterable {
    case json
    case join
    case len
    case upper
    case lower

    var argumentCount: Int { self == .join ? 2 : 1 }
  }

  let parts: [Part]

  /// - Throws: `usage` with the place of what is not understood.
  init(_ text: String) throws(StorageError) {
    var parser = TemplateParser(text)
    parts = try parser.parse()
  }

  /// Whether a value appears anywhere.
  var hasActions: Bool { parts.contains { if case .action = $0 { true } else { false } } }

  /// The text for a value.
  ///
  /// - Parameter isForTerminal: whether what could drive a terminal is escaped in what is put in.
  /// - Throws: `usage` for a field that is not there, or a function that cannot be applied.
  func text(for value: JSONValue, isForTerminal: Bool = false) throws(StorageError) -> String {
    var text = ""
    for part in parts {
      switch part {
      case .text(let literal): text += literal
      case .action(let expression, let column):
        let result = try expression.evaluated(on: value, at: column).templateText
        text += isForTerminal ? printable(result) : result
      }
    }
    return text
  }
}

/// An error in a template, at a place counted in characters from 1.
func templateError(_ reason: String, at column: Int) -> StorageError {
  StorageError(.usage, "--format: character \(column): \(reason)")
}
