// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// Completion for fish, with the descriptions of commands and options.
enum FishCompletion {
  static func script(_ commands: [CommandDefinition], _ globals: [OptionDefinition]) -> String {
    let programs = CompletionScript.programs
    var lines = [
      "# Layers, images and containers that the program lists.",
      "function __stowage_objects",
      "    set -l program (commandline -opc)[1]",
      "    for kind in $argv; $program $kind 2>/dev/null; end | \(CompletionScript.awk)",
      "end", "",
      "set -l commands \(commands.flatMap(\.names).joined(separator: " "))", "",
      "complete -c \(programs[0]) -f",
    ]
    lines += globals.map { line($0) }
    for command in commands {
      lines.append(
        "complete -c \(programs[0]) -n \"not __fish_seen_subcommand_from $commands\" -a \(command.names[0])"
          + " -d \(CompletionScript.quoted(command.usage))")
      lines += self.lines(command)
    }
    lines += programs.dropFirst().map { "complete -c \($0) -w \(programs[0])" }
    return CompletionScript.header + lines.joined(separator: "\n") + "\n"
  }

  private static func lines(_ command: CommandDefinition) -> [String] {
    let seen = "__fish_seen_subcommand_from \(command.names.joined(separator: " "))"
    var lines = command.options.map { line($0, when: seen) }
    let kinds = command.argumentKinds
    let objects = CompletionScript.objects(kinds)
    let start = "complete -c \(CompletionScript.programs[0]) -n \"\(seen)\""
    if !objects.isEmpty { lines.append("\(start) -a '(__stowage_objects \(objects.joined(separator: " ")))'") }
    if kinds.contains(.files) { lines.append("\(start) -F") }
    if kinds.contains(.command) { lines.append("\(start) -a '(__fish_complete_subcommand)'") }
    return lines
  }

  private static func line(_ option: OptionDefinition, when condition: String? = nil) -> String {
    let names = option.names.map { name in
      name.hasPrefix("--") ? "-l \(name.dropFirst(2))" : "-s \(name.dropFirst())"
    }
    return "complete -c \(CompletionScript.programs[0])" + (condition.map { " -n \"\($0)\"" } ?? "")
      + " \(names.joined(separator: " "))" + (option.takesValue ? " -r -F" : "")
      + " -d \(CompletionScript.quoted(option.usage))"
  }
}
