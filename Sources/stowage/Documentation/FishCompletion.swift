// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// Completion for fish, with the descriptions of commands and options.
enum FishCompletion {
  /// The beginning of a line for one of the programs, or for both.
  private static func start(_ program: String? = nil) -> String {
    "complete" + (program.map { [$0] } ?? CompletionScript.programs).map { " -c \($0)" }.joined()
  }

  static func script() -> String {
    var lines = [functions, "\(start()) -f"]
    lines += GlobalOptions.all.map { line($0, start()) }
    let shared = Set(CommandTable.commands(of: .reference).map { $0.names[0] })
    for command in CommandTable.commands(of: .stowage) {
      let start = start(shared.contains(command.names[0]) ? nil : CompletionScript.programs[0])
      lines.append(
        "\(start) -n \"__stowage_is ''\" -a \(command.names[0]) -d \(CompletionScript.quoted(command.usage))")
    }
    for entry in CompletionScript.entries { lines += self.lines(entry) }
    return CompletionScript.header + lines.joined(separator: "\n") + "\n"
  }

  private static var functions: String {
    let store = CompletionScript.storeNames.joined(separator: " ")
    let prefixes = CompletionScript.storeNames.joined(separator: "|")
    let others = GlobalOptions.all.filter(\.takesValue).flatMap(\.names)
      .filter { !CompletionScript.storeNames.contains($0) }.joined(separator: " ")
    return """
      # Finds in the words before the cursor the command and the options that choose the store.
      function __stowage_parse
          set -l words (commandline -opc)
          if test "$words" = "$__stowage_words"
              return
          end
          set -g __stowage_words $words
          set -g __stowage_store
          set -g __stowage_command ''
          set -l index 2
          while test $index -le (count $words)
              set -l word $words[$index]
              set -l next (math $index + 1)
              if contains -- $word \(store)
                  if test $next -le (count $words)
                      set -a __stowage_store $word (string replace -r '^~(?=/|$)' "$HOME" -- $words[$next])
                  end
                  set index $next
              else if contains -- $word \(others)
                  set index $next
              else if string match -qr -- '^(\(prefixes))=' $word
                  set -a __stowage_store $word
              else if test -z "$__stowage_command"; and not string match -q -- '-*' $word
                  set -g __stowage_command $word
              end
              set index (math $index + 1)
          end
      end

      # Whether the command is one of these; an empty one stands for none.
      function __stowage_is
          __stowage_parse
          contains -- "$__stowage_command" $argv
      end

      # Layers, images and containers of the store that the line chooses.
      function __stowage_objects
          __stowage_parse
          set -l word (commandline -ct)
          $__stowage_words[1] $__stowage_store complete-names -- "$word" $argv 2>/dev/null
      end


      """
  }

  private static func lines(_ entry: CompletionScript.Entry) -> [String] {
    let start = "\(start(entry.program)) -n \"__stowage_is \(entry.command.names.joined(separator: " "))\""
    var lines = entry.command.options.map { line($0, start) }
    let stored = CompletionScript.stored(entry.argumentKinds)
    if !stored.isEmpty { lines.append("\(start) -a '(__stowage_objects \(stored))'") }
    for kind in entry.argumentKinds {
      switch kind {
      case .files: lines.append("\(start) -F")
      case .command: lines.append("\(start) -a '(__fish_complete_subcommand)'")
      case .shells: lines.append("\(start) -a '\(CompletionScript.shells)'")
      case .verbs:
        let face: Face = entry.program == CompletionScript.programs[1] ? .reference : .stowage
        lines.append("\(start) -a '\(CompletionScript.commandNames(of: face))'")
      case .layers, .images, .shortImages, .containers: break
      }
    }
    return lines
  }

  private static func line(_ option: OptionDefinition, _ start: String) -> String {
    let names = option.names.map { name in
      name.hasPrefix("--") ? "-l \(name.dropFirst(2))" : "-s \(name.dropFirst())"
    }
    let value =
      option.values.isEmpty ? " -r -F" : " -x -a \(CompletionScript.quoted(option.values.joined(separator: " ")))"
    return "\(start) \(names.joined(separator: " "))"
      + (option.takesValue ? value : "") + " -d \(CompletionScript.quoted(option.usage))"
  }
}
