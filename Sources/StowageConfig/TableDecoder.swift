// SPDX-License-Identifier: Apache-2.0

/// Decodes one table of a file onto what earlier files said. Keys match exactly, else without regard to case.
package struct TableDecoder {
  private let members: ConfigurationTable
  /// The table's own name, empty for the root.
  private let name: String
  /// The file that the table is in.
  private let file: String
  private var known: Set<String> = []
  /// What is odd without being an error, in this table and those decoded below it.
  private(set) var remarks: [ConfigurationRemark] = []

  package init(_ members: ConfigurationTable, name: String = "", file: String) {
    self.members = members
    self.name = name
    self.file = file
  }

  /// All remarks, keys nobody asked for included.
  var allRemarks: [ConfigurationRemark] {
    remarks
      + members.filter { !known.contains($0.key) }.map { key, member in
        ConfigurationRemark(.unknownKey(full(key)), origin: origin(member.keyPosition))
      }
  }

  /// The name of a key with those of its tables.
  private func full(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

  private func origin(_ position: TextPosition) -> SettingOrigin {
    .file(path: file, line: position.line, column: position.column)
  }

  private mutating func value(_ key: String) -> ConfigurationValue? {
    let lower = key.lowercased()
    let found = members[key] == nil ? members.keys.sorted().first { $0.lowercased() == lower } : key
    guard let found else { return nil }
    known.insert(found)
    return members[found]?.value
  }

  private func mismatch(_ key: String, _ value: ConfigurationValue, _ wanted: String) -> ConfigurationProblem {
    ConfigurationProblem(
      reason: "incompatible types: TOML value has type \(value.typeName); destination has type \(wanted)",
      plain: "must be of type \(wanted), and is of type \(value.typeName)",
      position: value.position, key: full(key))
  }

  /// A text.
  package mutating func string(_ key: String, _ target: inout Setting<String>) throws(ConfigurationProblem) {
    guard let value = value(key) else { return }
    guard case .string(let text) = value.content else { throw mismatch(key, value, "string") }
    target = Setting(text, from: origin(value.position))
  }

  mutating func bool(_ key: String, _ target: inout Setting<Bool>) throws(ConfigurationProblem) {
    guard let value = value(key) else { return }
    guard case .bool(let flag) = value.content else { throw mismatch(key, value, "boolean") }
    target = Setting(flag, from: origin(value.position))
  }

  mutating func uint32(_ key: String, _ target: inout Setting<UInt32>) throws(ConfigurationProblem) {
    guard let value = value(key) else { return }
    guard case .integer(let number) = value.content else { throw mismatch(key, value, "uint32") }
    guard let fitting = UInt32(exactly: number) else {
      throw ConfigurationProblem(
        reason: "\(number) is out of range for uint32", position: value.position, key: full(key))
    }
    target = Setting(fitting, from: origin(value.position))
  }

  mutating func list(_ key: String, _ target: inout AttributedList) throws(ConfigurationProblem) {
    guard let value = value(key) else { return }
    do throws(ConfigurationProblem) {
      if let earlier = try target.merge(value, origin: origin) {
        remarks.append(ConfigurationRemark(.appendedList(full(key), because: earlier), origin: origin(value.position)))
      }
    } catch {
      throw ConfigurationProblem(
        reason: error.reason, plain: error.plainReason, position: error.position, key: full(key))
    }
  }

  /// A list of texts that replaces an earlier one.
  package mutating func texts(_ key: String, _ target: inout [Setting<String>]) throws(ConfigurationProblem) {
    guard let value = value(key) else { return }
    guard case .array(let items) = value.content else { throw mismatch(key, value, "array") }
    var texts: [Setting<String>] = []
    for item in items {
      guard case .string(let text) = item.content else { throw mismatch(key, item, "string") }
      texts.append(Setting(text, from: origin(item.position)))
    }
    target = texts
  }

  /// A table of texts; entries are merged one by one.
  package mutating func strings(_ key: String, _ target: inout [String: Setting<String>]?) throws(ConfigurationProblem)
  {
    guard let value = value(key) else { return }
    guard case .table(let table) = value.content else { throw mismatch(key, value, "map") }
    var merged = target ?? [:]
    for (entry, member) in table.sorted(by: { $0.key < $1.key }) {
      guard case .string(let text) = member.value.content else {
        throw mismatch("\(key).\(entry)", member.value, "string")
      }
      merged[entry] = Setting(text, from: origin(member.value.position))
    }
    target = merged
  }

  /// A text that is accepted and has no effect.
  mutating func ineffective(_ key: String, insteadUse other: String) throws(ConfigurationProblem) {
    var ignored = Setting("")
    try string(key, &ignored)
    if ignored.value.isEmpty { return }
    remarks.append(ConfigurationRemark(.ineffectiveKey(full(key), insteadUse: other), origin: ignored.origin))
  }

  /// A sub-table, decoded by the closure.
  mutating func table(
    _ key: String, _ body: (inout TableDecoder) throws(ConfigurationProblem) -> Void
  ) throws(ConfigurationProblem) {
    guard let value = value(key) else { return }
    guard case .table(let table) = value.content else { throw mismatch(key, value, "table") }
    var decoder = TableDecoder(table, name: full(key), file: file)
    try body(&decoder)
    remarks += decoder.allRemarks
  }
}
