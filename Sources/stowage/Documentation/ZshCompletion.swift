// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// Completion for zsh, with the descriptions of commands and options.
enum ZshCompletion {
  static func script(_ commands: [CommandDefinition], _ globals: [OptionDefinition]) -> String {
    "#compdef \(CompletionScript.programs.joined(separator: " "))\n" + CompletionScript.header + """
      # Layers, images and containers that the program lists.
      __stowage_objects() {
        local kind
        local -a found
        for kind in "$@"; do
          found+=(${(f)"$(_call_program objects $_stowage_program $kind 2>/dev/null | \(CompletionScript.awk))"})
        done
        compadd -a found
      }

      __stowage_commands() {
        local -a commands=(
      \(commands.map { "    " + CompletionScript.quoted(described($0.names[0], $0.usage)) }.joined(separator: "\n"))
        )
        _describe command commands
      }

      __stowage_command() {
        case $1 in
      \(commands.map(command).joined(separator: "\n"))
        esac
      }

      _stowage() {
        local curcontext=$curcontext state line _stowage_program=$words[1]
        typeset -A opt_args
        _arguments -C -A '-*' \\
      \(specifications(globals))
          '1:command:__stowage_commands' '*::argument:->argument'
        [[ $state == argument ]] && __stowage_command $words[1]
      }

      _stowage "$@"

      """
  }

  private static func command(_ command: CommandDefinition) -> String {
    let argument =
      switch command.argumentKinds {
      case []: command.arguments.maximum == 0 ? "" : " '*:argument:'"
      case [.files]: " '*:file:_files'"
      case [.command]: " '*::command:_normal'"
      case let kinds where kinds.contains(.files):
        " '*:argument:{ __stowage_objects \(CompletionScript.objects(kinds).joined(separator: " ")); _files }'"
      case let kinds: " '*:argument:__stowage_objects \(CompletionScript.objects(kinds).joined(separator: " "))'"
      }
    return """
          \(command.names.joined(separator: "|"))) _arguments -A '-*' \\
      \(specifications(command.allOptions))
           \(argument) ;;
      """
  }

  private static func specifications(_ options: [OptionDefinition]) -> String {
    options.map { option in
      let names = option.names.joined(separator: " ")
      var text = "[\(escaped(option.usage))]"
      if option.takesValue { text += ":value:_files" }
      let exclusion = option.isList ? "*" : "(\(names))"
      let spelled = option.names.count == 1 ? option.names[0] : "{\(option.names.joined(separator: ","))}"
      return option.names.count == 1
        ? "      " + CompletionScript.quoted(exclusion + spelled + text) + " \\"
        : "      " + CompletionScript.quoted(exclusion) + spelled + CompletionScript.quoted(text) + " \\"
    }.joined(separator: "\n")
  }

  private static func described(_ name: String, _ usage: String) -> String { "\(name):\(escaped(usage))" }

  /// Characters with a meaning in `_arguments` and `_describe` are taken literally behind a backslash.
  private static func escaped(_ text: String) -> String {
    text.map { "[]:\\".contains($0) ? "\\\($0)" : String($0) }.joined()
  }
}
