// SPDX-License-Identifier: Apache-2.0

/// The values of a set of options while and after a command line is parsed.
///
/// Starts with each option's default, or with a value taken over from an earlier parse.
package struct OptionValues: Sendable {
  /// What an option has.
  package enum Value: Hashable, Sendable {
    /// Of a flag.
    case flag(Bool)
    /// Of an option that takes one text.
    case text(String)
    /// Of an option whose texts collect.
    case list([String])

    /// The value as help shows it behind the option's names (cli 5.3).
    package var helpText: String {
      switch self {
      case .flag(let value): value ? "true" : "false"
      case .text(let value): value
      case .list(let values): "[" + values.joined(separator: " ") + "]"
      }
    }
  }

  /// All options, in the order given.
  package private(set) var definitions: [OptionDefinition]
  private var values: [String: Value] = [:]
  private var given: Set<String> = []

  /// Starts with the defaults.
  package init(_ definitions: [OptionDefinition]) {
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
  package func definition(named name: String) -> OptionDefinition? {
    definitions.first { $0.names.contains(name) || $0.deprecatedName?.name == name }
  }

  /// The value of an option, which must be one of ``definitions``.
  package subscript(_ definition: OptionDefinition) -> Value {
    get {
      guard let value = values[definition.key] else {
        preconditionFailure("\(definition.key) is not an option of this command: add it to the definition")
      }
      return value
    }
    set { values[definition.key] = newValue }
  }

  /// Whether the words of this parse gave the option.
  package func isGiven(_ definition: OptionDefinition) -> Bool { given.contains(definition.key) }

  /// Takes over a value that the words give.
  package mutating func give(_ definition: OptionDefinition, _ value: Value) {
    self[definition] = value
    given.insert(definition.key)
  }

  /// The value of a flag.
  package subscript(flag definition: OptionDefinition) -> Bool {
    guard case .flag(let value) = self[definition] else { preconditionFailure("\(definition.key) is not a flag") }
    return value
  }

  /// The value of an option that takes one text.
  package subscript(text definition: OptionDefinition) -> String {
    guard case .text(let value) = self[definition] else { preconditionFailure("\(definition.key) takes no text") }
    return value
  }

  /// The values of an option whose texts collect.
  package subscript(list definition: OptionDefinition) -> [String] {
    guard case .list(let values) = self[definition] else { preconditionFailure("\(definition.key) is no list") }
    return values
  }

  /// These values together with the defaults of further options.
  package func adding(_ further: [OptionDefinition]) -> OptionValues {
    var result = OptionValues(definitions + further)
    for definition in definitions { result.values[definition.key] = self[definition] }
    return result
  }
}
