// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// Completion for zsh, with the descriptions of commands and options.
enum ZshCompletion {
  static func script() -> String {
    let names = CompletionScript.storeNames.joined(separator: "|")
    let prefixed = CompletionScript.storeNames.map { $0 + "=*" }.joined(separator: "|")
    return "#compdef \(CompletionScript.programs.joined(separator: " "))\n" + CompletionScript.header + """
      # Layers, images and containers of the store that the line chooses.
      __stowage_objects() {
        local -a store found
        local index word
        for ((index = 2; index < $#_stowage_line; index++)); do
          case $_stowage_line[index] in
            \(names))
              word=${(Q)_stowage_line[index + 1]}
              [[ $word != '~/'* ]] || word=$HOME${word[2,-1]}
              store+=("$_stowage_line[index]" "$word")
              ((index++)) ;;
            \(prefixed)) store+=("${(Q)_stowage_line[index]}") ;;
          esac
        done
        found=(${(f)"$($_stowage_line[1] $store complete-names -- "${(Q)PREFIX}" $@ 2>/dev/null)"})
        compadd -a found
      }

      # Beginnings of values, which go on behind an equals sign.
      __stowage_beginnings() { compadd -S '' -- $@ }

      __stowage_commands() {
        local -a commands
        if [[ $_stowage_program == stowage ]]; then
          commands=(
      \(described(.stowage))
          )
        else
          commands=(
      \(described(.reference))
          )
        fi
        _describe command commands
      }

      __stowage_command() {
        case $_stowage_program:$1 in
      \(CompletionScript.entries.map(entry).joined(separator: "\n"))
        esac
      }

      _stowage() {
        local curcontext=$curcontext state line _stowage_program=containers-storage
        local -a _stowage_line=($words[1,CURRENT])
        [[ ${words[1]:t} != stowage ]] || _stowage_program=stowage
        typeset -A opt_args
        _arguments -C -A '-*' \\
      \(specifications(GlobalOptions.all))
          '1:command: __stowage_commands' '*::argument:->argument'
        [[ $state == argument ]] && __stowage_command $words[1]
      }

      _stowage "$@"

      """
  }

  private static func described(_ face: Face) -> String {
    CommandTable.commands(of: face).map {
      "      " + CompletionScript.quoted("\($0.names[0]):\(escaped($0.usage))")
    }.joined(separator: "\n")
  }

  private static func entry(_ entry: CompletionScript.Entry) -> String {
    let names = entry.command.names.map { "\(entry.program ?? "*"):\($0)" }.joined(separator: "|")
    // As containers-storage, options come before arguments.
    let ends = entry.program == CompletionScript.programs[0] ? "" : " -A '-*'"
    return """
          \(names)) _arguments\(ends) \\
      \(specifications(entry.command.allOptions))
           \(arguments(entry)) ;;
      """
  }

  private static func arguments(_ entry: CompletionScript.Entry) -> String {
    let kinds = entry.argumentKinds
    if kinds.isEmpty { return entry.command.arguments.maximum == 0 ? "" : " '*:argument:'" }
    if kinds == [.command] { return " '*::command:_normal'" }
    if kinds == [.shells] { return " '*:shell:(\(CompletionScript.shells))'" }
    if kinds == [.verbs] { return " '*:command: __stowage_commands'" }
    let stored = CompletionScript.stored(kinds)
    var actions = stored.isEmpty ? [] : ["__stowage_objects \(stored)"]
    if kinds.contains(.files) { actions.append("_files") }
    return actions.count == 1 ? " '*:argument: \(actions[0])'" : " '*:argument:{ \(actions.joined(separator: "; ")) }'"
  }

  private static func specifications(_ options: [OptionDefinition]) -> String {
    options.map { option in
      let names = option.names.joined(separator: " ")
      let text = "[\(escaped(option.usage))]" + value(of: option)
      let exclusion = option.isList ? "*" : "(\(names))"
      let spelled = option.names.count == 1 ? option.names[0] : "{\(option.names.joined(separator: ","))}"
      return option.names.count == 1
        ? "      " + CompletionScript.quoted(exclusion + spelled + text) + " \\"
        : "      " + CompletionScript.quoted(exclusion) + spelled + CompletionScript.quoted(text) + " \\"
    }.joined(separator: "\n")
  }

  private static func value(of option: OptionDefinition) -> String {
    guard option.takesValue else { return "" }
    if option.values.isEmpty { return ":value:_files" }
    let words = option.values.joined(separator: " ")
    return option.values.contains { $0.hasSuffix("=") }
      ? ":value: __stowage_beginnings \(words)" : ":value:(\(words))"
  }

  /// Characters with a meaning in `_arguments` and `_describe` are taken literally behind a backslash.
  private static func escaped(_ text: String) -> String {
    text.map { "[]:\\".contains($0) ? "\\\($0)" : String($0) }.joined()
  }
}
