// SPDX-License-Identifier: Apache-2.0

internal import StowageModel

/// Decodes one table of a file onto what earlier files said. Keys match exactly, else without regard to case.
struct TableDecoder {
  private let members: [String: ConfigurationValue]
  private let path: String
  private var known: Set<String> = []

  /// `path` is the table's own name, empty for the root.
  init(_ members: [String: ConfigurationValue], path: String) {
    self.members = members
    self.path = path
  }

  /// Keys nobody asked for, with the table's path, sorted.
  var unknownKeys: [String] { members.keys.filter { !known.contains($0) }.map(name).sorted() }

  private func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  private mutating func value(_ key: String) -> ConfigurationValue? {
    if let value = members[key] {
      known.insert(key)
      return value
    }
    let lower = key.lowercased()
    guard let found = members.keys.sorted().first(where: { $0.lowercased() == lower }) else { return nil }
    known.insert(found)
    return members[found]
  }

  private func mismatch(_ key: String, _ value: ConfigurationValue, _ wanted: String) -> ConfigurationProblem {
    ConfigurationProblem(
      text: "toml: (last key \(goQuoted(name(key)))): incompatible types: TOML value has type \(value.typeName); "
        + "destination has type \(wanted)")
  }

  mutating func string(_ key: String, _ target: inout String) throws(ConfigurationProblem) {
    guard let value = value(key) else { return }
    guard case .string(let text) = value else { throw mismatch(key, value, "string") }
    target = text
  }

  mutating func bool(_ key: String, _ target: inout Bool) throws(ConfigurationProblem) {
    guard let value = value(key) else { return }
    guard case .bool(let flag) = value else { throw mismatch(key, value, "boolean") }
    target = flag
  }

  mutating func uint32(_ key: String, _ target: inout UInt32) throws(ConfigurationProblem) {
    guard let value = value(key) else { return }
    guard case .integer(let number) = value else { throw mismatch(key, value, "uint32") }
    guard let fitting = UInt32(exactly: number) else {
      throw ConfigurationProblem(text: "toml: (last key \(goQuoted(name(key)))): \(number) is out of range for uint32")
    }
    target = fitting
  }

  mutating func list(_ key: String, _ target: inout AttributedList) throws(ConfigurationProblem) {
    if let value = value(key) { try target.merge(value) }
  }

  /// A table of texts; entries are merged one by one.
  mutating func strings(_ key: String, _ target: inout [String: String]?) throws(ConfigurationProblem) {
    guard let value = value(key) else { return }
    guard case .table(let table) = value else { throw mismatch(key, value, "map") }
    var merged = target ?? [:]
    for (entry, value) in table {
      guard case .string(let text) = value else { throw mismatch("\(key).\(entry)", value, "string") }
      merged[entry] = text
    }
    target = merged
  }

  /// A sub-table, decoded by the closure. Its unknown keys are added to the list.
  mutating func table(
    _ key: String, unknown: inout [String],
    _ body: (inout TableDecoder, inout [String]) throws(ConfigurationProblem) -> Void
  ) throws(ConfigurationProblem) {
    guard let value = value(key) else { return }
    guard case .table(let table) = value else { throw mismatch(key, value, "table") }
    var decoder = TableDecoder(table, path: name(key))
    try body(&decoder, &unknown)
    unknown += decoder.unknownKeys
  }
}
