// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// Completion for bash; needs nothing but bash.
enum BashCompletion {
  static func script(_ commands: [CommandDefinition], _ globals: [OptionDefinition]) -> String {
    CompletionScript.header + """
      # Layers, images and containers that the program lists.
      __stowage_objects() {
        local kind
        for kind in "$@"; do "${COMP_WORDS[0]}" "$kind" 2>/dev/null; done | \(CompletionScript.awk)
      }

      __stowage_options() {
        case $1 in
      \(options(commands))
          *) echo "\(words(globals + [GlobalOptions.help]))" ;;
        esac
      }

      # Whether the option takes the next word.
      __stowage_takes_value() {
        case $1 in
          \(valueOptions(commands, globals))) return 0 ;;
        esac
        return 1
      }

      __stowage_arguments() {
        case $1 in
      \(arguments(commands))
        esac
      }

      _stowage() {
        local current=${COMP_WORDS[COMP_CWORD]} command= options_ended= index word
        COMPREPLY=()
        for ((index = 1; index < COMP_CWORD; index++)); do
          word=${COMP_WORDS[index]}
          case $word in
            --) options_ended=1 ;;
            -*)
              if __stowage_takes_value "$word"; then
                if [[ ${COMP_WORDS[index + 1]} == = ]]; then ((index++)); fi
                ((index++))
                if ((index >= COMP_CWORD)); then
                  [[ $current != = ]] || current=
                  COMPREPLY=($(compgen -f -- "$current"))
                  compopt -o filenames 2>/dev/null
                  return
                fi
              fi ;;
            *) if [[ -z $command ]]; then command=$word; else options_ended=1; fi ;;
          esac
        done
        if [[ $current == -* && -z $options_ended ]]; then
          COMPREPLY=($(compgen -W "$(__stowage_options "$command")" -- "$current"))
        elif [[ -z $command ]]; then
          COMPREPLY=($(compgen -W "\(commands.map { $0.names[0] }.joined(separator: " "))" -- "$current"))
        else
          __stowage_arguments "$command"
        fi
      }

      complete -F _stowage \(CompletionScript.programs.joined(separator: " "))

      """
  }

  private static func words(_ options: [OptionDefinition]) -> String {
    options.flatMap(\.names).joined(separator: " ")
  }

  private static func options(_ commands: [CommandDefinition]) -> String {
    commands.map { "    \($0.names.joined(separator: "|"))) echo \"\(words($0.allOptions))\" ;;" }
      .joined(separator: "\n")
  }

  private static func valueOptions(_ commands: [CommandDefinition], _ globals: [OptionDefinition]) -> String {
    let all = (commands.flatMap(\.options) + globals).filter(\.takesValue).flatMap(\.names)
    return Set(all).sorted().joined(separator: "|")
  }

  private static func arguments(_ commands: [CommandDefinition]) -> String {
    CompletionScript.byArguments(commands).map { group in
      "    \(group.names.joined(separator: "|")))\n" + reply(to: group.kinds) + "      ;;"
    }.joined(separator: "\n")
  }

  private static func reply(to kinds: [ArgumentKind]) -> String {
    var text = ""
    let objects = CompletionScript.objects(kinds)
    if !objects.isEmpty {
      let list = "$(__stowage_objects \(objects.joined(separator: " ")))"
      text += "      COMPREPLY+=($(compgen -W \"\(list)\" -- \"$current\"))\n"
    }
    if kinds.contains(.files) {
      text += "      COMPREPLY+=($(compgen -f -- \"$current\"))\n      compopt -o filenames 2>/dev/null\n"
    }
    if kinds.contains(.command) { text += "      COMPREPLY+=($(compgen -c -- \"$current\"))\n" }
    return text
  }
}
