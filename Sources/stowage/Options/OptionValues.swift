// SPDX-License-Identifier: Apache-2.0

/// The values of a set of options while and after a command line is parsed.
///
/// Starts with each option's default, or with a value taken over from an earlier parse.
struct OptionValues: Sendable {
  enum Value: Sendable {
    case flag(Bool)
    case text(String)
    case list([String])

    /// The value as help shows it behind the option's names (cli 5.3).
    var helpText: String {
      switch self {
      case .flag(let value): value ? "true" : "false"
      case .text(let value): value
      case .list(let values): "[" + values.joined(separator: " ") + "]"
      }
    }
  }

  private(set) var definitions: [OptionDefinition]
  private var values: [String: Value] = [:]
  private var given: Set<String> = []

  init(_ definitions: [OptionDefinition]) {
    self.definitions = definitions
    for definition in definitions {
      values[definition.key] =
        switch definition.kind {
        case .flag(let value): .flag(value)
        case .text(let value): .text(value)
        case .list: .list([])
        }
    }
  }

  /// The option spelled `name`, deprecated spellings included.
  func definition(named name: String) -> OptionDefinition? {
    definitions.first { $0.names.contains(name) || $0.deprecatedName?.name == name }
  }

  subscript(_ definition: OptionDefinition) -> Value {
    get {
      guard let value = values[definition.key] else {
        preconditionFailure("\(definition.key) is not an option of this command: add it to the definition")
      }
      return value
    }
    set { values[definition.key] = newValue }
  }

  /// Whether the words of this parse gave the option.
  func isGiven(_ definition: OptionDefinition) -> Bool { given.contains(definition.key) }

  /// Takes over a value that the words give.
  mutating func give(_ definition: OptionDefinition, _ value: Value) {
    self[definition] = value
    given.insert(definition.key)
  }

  subscript(flag definition: OptionDefinition) -> Bool {
    guard case .flag(let value) = self[definition] else { preconditionFailure("\(definition.key) is not a flag") }
    return value
  }

  subscript(text definition: OptionDefinition) -> String {
    guard case .text(let value) = self[definition] else { preconditionFailure("\(definition.key) takes no text") }
    return value
  }

  subscript(list definition: OptionDefinition) -> [String] {
    guard case .list(let values) = self[definition] else { preconditionFailure("\(definition.key) is no list") }
    return values
  }

  /// These values together with the defaults of further options.
  func adding(_ further: [OptionDefinition]) -> OptionValues {
    var result = OptionValues(definitions + further)
    for definition in definitions { result.values[definition.key] = self[definition] }
    return result
  }
}
