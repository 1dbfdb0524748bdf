// SPDX-License-Identifier: Apache-2.0

internal import StowageModel

/// A list of texts that later files replace, or extend once one of them said `{append = true}`
/// (configuration-and-idmaps 2.1).
struct AttributedList: Sendable {
  private(set) var values: [Setting<String>] = []
  private var appends = Setting(false)

  /// Takes over a list of a file, whose places `origin` names. Returns where an earlier file said that lists are to be
  /// appended, if that is the reason why this one was.
  mutating func merge(
    _ value: ConfigurationValue, origin: (TextPosition) -> SettingOrigin
  ) throws(ConfigurationProblem) -> SettingOrigin? {
    guard case .array(let items) = value.content else {
      throw ConfigurationProblem(
        reason: "unable to cast to interface array: \(value.shown)", plain: "must be a list of texts",
        position: value.position)
    }
    var added: [Setting<String>] = []
    var earlier: SettingOrigin? = appends.value ? appends.origin : nil
    for item in items {
      switch item.content {
      case .string(let text): added.append(Setting(text, from: origin(item.position)))
      case .table(let table):
        guard let flag = try appendFlag(table, item) else { continue }
        appends = Setting(flag, from: origin(item.position))
        earlier = nil
      default:
        throw ConfigurationProblem(
          reason: "unsupported item in attributed string slice: \(item.shown)", plain: "an element is no text",
          position: item.position)
      }
    }
    values = appends.value ? values + added : added
    return earlier
  }

  private func appendFlag(_ table: ConfigurationTable, _ item: ConfigurationValue) throws(ConfigurationProblem) -> Bool?
  {
    var flag: Bool?
    for (key, member) in table.sorted(by: { $0.key < $1.key }) {
      guard key.lowercased() == "append" else {
        throw ConfigurationProblem(
          reason: "unsupported key \"\(key)\" in map: \(item.shown)", plain: "unknown key \(goQuoted(key)) in a list",
          position: member.keyPosition)
      }
      guard case .bool(let value) = member.value.content else {
        throw ConfigurationProblem(
          reason: "unable to cast append to bool: append", plain: "\"append\" must be true or false",
          position: member.value.position)
      }
      flag = value
    }
    return flag
  }
}
