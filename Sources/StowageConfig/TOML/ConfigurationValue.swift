// SPDX-License-Identifier: Apache-2.0

internal import StowageModel

/// A place in a configuration file.
package struct TextPosition: Hashable, Sendable {
  /// From 1.
  package let line: Int
  /// In bytes, from 1.
  package let column: Int
}

/// A value of a configuration file with its place, free of the parser's types.
package struct ConfigurationValue: Sendable {
  package enum Content: Sendable {
    case string(String)
    case integer(Int64)
    case bool(Bool)
    case float(Double)
    case array([ConfigurationValue])
    case table(ConfigurationTable)
    /// A date or time, which no key of ours takes.
    case other
  }

  package let content: Content
  /// Where the value begins; for a table with a header of its own, that header.
  package let position: TextPosition

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
  package let keyPosition: TextPosition
  package let value: ConfigurationValue
}

/// Why a configuration file cannot be used.
package struct ConfigurationProblem: Error, Sendable {
  /// What is wrong, without the place.
  let reason: String
  /// The same without words of the reference's language.
  var plainReason: String?
  let position: TextPosition
  /// The full name of the key whose value is wrong; nil for an error of syntax.
  var key: String?

  /// A problem at a place of the document.
  package init(reason: String, plain: String? = nil, position: TextPosition, key: String? = nil) {
    self.reason = reason
    plainReason = plain
    self.position = position
    self.key = key
  }

  /// A problem with a value that was read from a file; one that came from elsewhere has no place.
  package init(reason: String, origin: SettingOrigin) {
    var position = TextPosition(line: 1, column: 1)
    if case .file(_, let line, let column) = origin { position = TextPosition(line: line, column: column) }
    self.init(reason: reason, position: position)
  }

  /// The text after `decode configuration "<path>": `.
  var text: String {
    let place = "toml: line \(position.line), column \(position.column)"
    return key.map { "\(place) (last key \(goQuoted($0))): \(reason)" } ?? "\(place): \(reason)"
  }

  /// The same for people.
  var plainText: String {
    let place = "line \(position.line), column \(position.column)"
    return "\(place): \(key.map { "\($0): " } ?? "")\(plainReason ?? reason)"
  }
}
