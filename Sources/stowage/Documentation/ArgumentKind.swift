// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// What the arguments of a command name, for completion.
enum ArgumentKind: String, CaseIterable {
  case layers
  case images
  case containers
  case files
  /// Another program with its own arguments.
  case command
}

extension CommandDefinition {
  /// What the arguments name, read from the words of the synopsis; empty for a command without arguments.
  var argumentKinds: [ArgumentKind] {
    let words = synopsis.lowercased().split { !$0.isLetter }
    return ArgumentKind.allCases.filter { kind in
      switch kind {
      case .layers: words.contains { $0.contains("layer") && $0.hasSuffix("id") }
      case .images: words.contains { $0.contains("image") && $0.hasSuffix("id") }
      case .containers: words.contains { $0.contains("container") && $0.hasSuffix("id") }
      case .files: words.contains { ["path", "directory", "configurationfile", "source"].contains($0) }
      case .command: words.contains("command")
      }
    }
  }

  /// The options that may follow the command's name, in the order of help.
  var allOptions: [OptionDefinition] { (options + GlobalOptions.all).sorted { $0.plainName < $1.plainName } }
}

extension OptionDefinition {
  /// The long name without dashes.
  var plainName: String { String(key.drop { $0 == "-" }) }

  /// Whether the option takes a value.
  var takesValue: Bool { if case .flag = kind { false } else { true } }

  /// Whether the option may be given again for another value.
  var isList: Bool { if case .list = kind { true } else { false } }
}
