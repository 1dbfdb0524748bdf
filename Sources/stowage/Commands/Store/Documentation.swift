// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel

/// `completion`: the script that completes command lines in a shell.
enum CompletionCommand {
  static let definition = CommandDefinition(
    "completion", arguments: .one, synopsis: "bash|zsh|fish", usage: "Print the completion script for a shell",
    details: """
      Prints a script that completes commands, options, their values, and the names of layers, images and containers of the store
      that the options in the line choose. Nothing is opened or made for that. Packages install it
      where the shell looks for it; to try it: source <(stowage completion bash), or stowage completion fish | source.
      """,
    withoutStore: print)

  @Sendable private static func print(
    _: OptionValues, _ arguments: [String], _ console: Console
  ) throws(StorageError) -> ExitStatus {
    let word = arguments.first ?? ""
    guard let shell = Shell(rawValue: word) else {
      let known = Shell.allCases.map(\.rawValue).joined(separator: ", ")
      throw StorageError(.usage, "\(goQuoted(word)) is no shell that completions are made for: \(known)")
    }
    console.write(shell.completion())
    return .success
  }
}

/// `manual`: the manual pages, written into a directory.
enum ManualCommand {
  static let definition = CommandDefinition(
    "manual", arguments: .one, synopsis: "directory", usage: "Write the manual pages into a directory",
    details:
      "Writes a page of section 1 for the program, and one for each of its commands, into a directory that exists.",
    withoutStore: write)

  @Sendable private static func write(
    _: OptionValues, _ arguments: [String], _ console: Console
  ) throws(StorageError) -> ExitStatus {
    let directory = arguments.first ?? ""
    for page in ManualPages.all() {
      try HostFile.write(Array(page.text.utf8), to: directory + "/" + page.file)
    }
    return .success
  }
}
