// SPDX-License-Identifier: Apache-2.0

/// One option of a command line: how it is spelled, what it takes and what help says about it (cli 3 and 5.3).
package struct OptionDefinition: Sendable {
  /// What an option takes, with its built-in default.
  package enum Kind: Sendable {
    /// No value, or `=true` and the like. Absent means the default.
    case flag(default: Bool = false)
    /// One text; the last one given counts.
    case text(default: String = "")
    /// Texts that collect in the order given.
    case list
  }

  /// All spellings with their leading dashes, the long one first: it names the option in help and in ``OptionValues``.
  package let names: [String]
  package let kind: Kind
  package let usage: String
  /// A spelling that still works and is warned about, with the spelling to use instead; not shown in help.
  package let deprecatedName: (name: String, replacement: String)?
  /// Whether the reference does not have the option: it is then shown only in the help of `stowage`.
  package let isAdditional: Bool
  /// What a value may be, or begin with if it ends in `=`, for completion; empty if it may be anything.
  package let values: [String]

  /// Describes an option; at least one name.
  package init(
    _ names: String..., kind: Kind = .flag(), usage: String,
    deprecatedName: (name: String, replacement: String)? = nil, isAdditional: Bool = false, values: [String] = []
  ) {
    precondition(!names.isEmpty, "an option has at least one name")
    self.names = names
    self.kind = kind
    self.usage = usage
    self.deprecatedName = deprecatedName
    self.isAdditional = isAdditional
    self.values = values
  }

  /// The spelling that identifies the option: the long one, with its dashes.
  package var key: String { names[0] }
}

extension OptionDefinition {
  /// `--json, -j`, the same for every command that has it.
  package static let json = OptionDefinition("--json", "-j", usage: "Prefer JSON output")
}
