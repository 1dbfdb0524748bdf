// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// A shell that completions are made for.
enum Shell: String, CaseIterable {
  case bash
  case zsh
  case fish

  /// The script that completes `stowage` and `containers-storage`, from the definitions of all commands.
  ///
  /// Layers, images and containers are completed from the store that the program finds without options.
  func completion(of commands: [CommandDefinition], globals: [OptionDefinition]) -> String {
    switch self {
    case .bash: BashCompletion.script(commands, globals)
    case .zsh: ZshCompletion.script(commands, globals)
    case .fish: FishCompletion.script(commands, globals)
    }
  }
}

/// What the scripts share.
enum CompletionScript {
  static let programs = ["stowage", "containers-storage"]
  static let header = "# SPDX-License-Identifier: Apache-2.0\n# Made by `stowage completion`.\n\n"

  /// A text as one word of a shell, in single quotes.
  static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  /// The commands whose arguments are of the same kinds, by kinds; without those that take nothing.
  static func byArguments(_ commands: [CommandDefinition]) -> [(kinds: [ArgumentKind], names: [String])] {
    var groups: [(kinds: [ArgumentKind], names: [String])] = []
    for command in commands where !command.argumentKinds.isEmpty {
      if let index = groups.firstIndex(where: { $0.kinds == command.argumentKinds }) {
        groups[index].names += command.names
      } else {
        groups.append((command.argumentKinds, command.names))
      }
    }
    return groups
  }

  /// The kinds that are listed by the program itself.
  static func objects(_ kinds: [ArgumentKind]) -> [String] {
    kinds.filter { $0 != .files && $0 != .command }.map(\.rawValue)
  }

  /// Prints names and identifiers of what the program's plain listings show; `$1` is the program in bash and zsh.
  static let awk = #"awk '/^[0-9a-f]/ {print $1} /^\tname: / {sub(/^\tname: /, ""); print}'"#
}
