// SPDX-License-Identifier: Apache-2.0

/// A value of a configuration file, free of the parser's types.
enum ConfigurationValue: Sendable, Hashable {
  case string(String)
  case integer(Int64)
  case bool(Bool)
  case float(Double)
  case array([ConfigurationValue])
  case table([String: ConfigurationValue])
  /// A date or time, which no key of ours takes.
  case other

  /// The type's name in messages.
  var typeName: String {
    switch self {
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
    switch self {
    case .string(let text): text
    case .integer(let value): String(value)
    case .bool(let value): String(value)
    case .float(let value): String(value)
    case .array(let values): "[" + values.map(\.shown).joined(separator: " ") + "]"
    case .table(let table):
      "map[" + table.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.shown)" }.joined(separator: " ") + "]"
    case .other: "time"
    }
  }
}

/// Why a configuration file cannot be used; the text after `decode configuration "<path>": `.
struct ConfigurationProblem: Error, Sendable {
  let text: String
}
