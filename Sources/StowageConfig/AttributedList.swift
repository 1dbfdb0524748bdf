// SPDX-License-Identifier: Apache-2.0

/// A list of texts that later files replace, or extend once one of them said `{append = true}` (configuration 2.1).
struct AttributedList: Sendable, Hashable {
  private(set) var values: [String] = []
  private var appends = false

  mutating func merge(_ value: ConfigurationValue) throws(ConfigurationProblem) {
    guard case .array(let items) = value else {
      throw ConfigurationProblem(text: "unable to cast to interface array: \(value.shown)")
    }
    var added: [String] = []
    for item in items {
      switch item {
      case .string(let text): added.append(text)
      case .table(let table): try readAttributes(table, item)
      default: throw ConfigurationProblem(text: "unsupported item in attributed string slice: \(item.shown)")
      }
    }
    values = appends ? values + added : added
  }

  private mutating func readAttributes(
    _ table: [String: ConfigurationValue], _ item: ConfigurationValue
  ) throws(ConfigurationProblem) {
    for (key, value) in table {
      guard key.lowercased() == "append" else {
        throw ConfigurationProblem(text: "unsupported key \"\(key)\" in map: \(item.shown)")
      }
      guard case .bool(let flag) = value else {
        throw ConfigurationProblem(text: "unable to cast append to bool: append")
      }
      appends = flag
    }
  }
}
