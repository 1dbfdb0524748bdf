// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// What the arguments of a command name, for completion. The raw value is what `complete-names` calls it.
enum ArgumentKind: String, CaseIterable, Sendable {
  case layers
  case images
  /// Images by short names and beginnings of IDs, too.
  case shortImages = "short-images"
  case containers
  case files
  /// Another program with its own arguments.
  case command
  /// Commands of this program.
  case verbs
  /// Shells that there is a script for.
  case shells

  /// Whether the program itself has to look for it.
  var isStored: Bool {
    switch self {
    case .layers, .images, .shortImages, .containers: true
    case .files, .command, .verbs, .shells: false
    }
  }
}

extension CommandDefinition {
  /// What the arguments name under a name of the program; empty for a command without arguments.
  func argumentKinds(for face: Face) -> [ArgumentKind] {
    if face == .stowage, let completes { return completes }
    let words = synopsis.lowercased().split { !$0.isLetter }
    return ArgumentKind.allCases.filter { kind in
      switch kind {
      case .layers: words.contains { $0.contains("layer") && $0.hasSuffix("id") }
      case .images: words.contains { $0.contains("image") && $0.hasSuffix("id") }
      case .containers: words.contains { $0.contains("container") && $0.hasSuffix("id") }
      case .files: words.contains { ["path", "directory", "configurationfile", "source"].contains($0) }
      case .command: words.contains("command") && passesWordsOn
      case .verbs: words.contains("command") && !passesWordsOn
      case .shells: words.contains("bash")
      case .shortImages: false
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
