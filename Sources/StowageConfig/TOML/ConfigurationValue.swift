// SPDX-License-Identifier: Apache-2.0

internal import StowageModel

/// A place in a configuration file.
struct TextPosition: Hashable, Sendable {
  /// From 1.
  let line: Int
  /// In bytes, from 1.
  let column: Int
}

/// A value of a configuration file with its place, free of the parser's types.
struct ConfigurationValue: Sendable {
  enum Content: Sendable {
    case string(String)
    case integer(Int64)
    case bool(Bool)
    case float(Double)
    case array([ConfigurationValue])
    case table(ConfigurationTable)
    /// A date or time, which no key of ours takes.
    case other
  }

  let content: Content
  /// Where the value begins; for a table with a header of its own, that header.
  let position: TextPosition

  /// The type's name in messages.
  var typeName: String {
    switch content {
    case .string: "string"
    case .integer: "int64"
    case .bool: "bool"
    case .float: "float64"
    case .array: "array"
    case .table: "table"
    case .other: "time"
    }
  }

  /// The value in messages, roughly as Go prints it.
  var shown: String {
    switch content {
    case .string(let text): text
    case .integer(let value): String(value)
    case .bool(let value): String(value)
    case .float(let value): String(value)
    case .array(let values): "[" + values.map(\.shown).joined(separator: " ") + "]"
    case .table(let table):
      "map[" + table.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.value.shown)" }.joined(separator: " ") + "]"
    case .other: "time"
    }
  }
}

/// The members of a table by key.
package typealias ConfigurationTable = [String: ConfigurationMember]

/// A member of a table.
package struct ConfigurationMember: Sendable {
  /// Where its key stands for the first time.
  let keyPosition: TextPosition
  let value: ConfigurationValue
}

/// Why a configuration file cannot be used.
package struct ConfigurationProblem: Error, Sendable {
  /// What is wrong, without the place.
  let reason: String
  let position: TextPosition
  /// The full name of the key whose value is wrong; nil for an error of syntax.
  var key: String?

  /// The text after `decode configuration "<path>": `.
  var text: String {
    let place = "toml: line \(position.line), column \(position.column)"
    return key.map { "\(place) (last key \(goQuoted($0))): \(reason)" } ?? "\(place): \(reason)"
  }
}
