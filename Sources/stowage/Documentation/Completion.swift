// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// A shell that completions are made for.
enum Shell: String, CaseIterable {
  case bash
  case zsh
  case fish

  /// The script that completes `stowage` and `containers-storage`, from the definitions of all commands.
  ///
  /// Layers, images and containers are those of the store that the options in the line choose; the program lists them
  /// (`complete-names`).
  func completion() -> String {
    switch self {
    case .bash: BashCompletion.script()
    case .zsh: ZshCompletion.script()
    case .fish: FishCompletion.script()
    }
  }
}

/// What the scripts share.
enum CompletionScript {
  static let programs = ["stowage", "containers-storage"]
  static let header = "# SPDX-License-Identifier: Apache-2.0\n# Made by `stowage completion`.\n\n"

  /// A command as one of the programs, or both, has it.
  struct Entry {
    let command: CommandDefinition
    let argumentKinds: [ArgumentKind]
    /// The program; nil for both.
    let program: String?
  }

  /// All commands; those that the programs have in different ways twice.
  static let entries: [Entry] = {
    let everyday = Set(CommandTable.everyday.flatMap(\.names))
    func entries(of face: Face, _ program: String) -> [Entry] {
      CommandTable.commands(of: face).map { command in
        let isShared = command.completes == nil && !everyday.contains(command.names[0])
        return Entry(
          command: command, argumentKinds: command.argumentKinds(for: face), program: isShared ? nil : program)
      }
    }
    return entries(of: .stowage, programs[0]) + entries(of: .reference, programs[1]).filter { $0.program != nil }
  }()

  /// The names of commands that a program completes.
  static func commandNames(of face: Face) -> String {
    CommandTable.commands(of: face).map { $0.names[0] }.joined(separator: " ")
  }

  /// The options that choose the store.
  static let storeOptions = [
    GlobalOptions.graph, GlobalOptions.run, GlobalOptions.imageStore, GlobalOptions.driver, GlobalOptions.driverOptions,
  ]
  /// Their spellings.
  static let storeNames = storeOptions.flatMap(\.names)

  /// The shells that there is a script for.
  static let shells = Shell.allCases.map(\.rawValue).joined(separator: " ")

  /// A text as one word of a shell, in single quotes.
  static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }

  /// The kinds that the program lists.
  static func stored(_ kinds: [ArgumentKind]) -> String {
    kinds.filter(\.isStored).map(\.rawValue).joined(separator: " ")
  }
}
