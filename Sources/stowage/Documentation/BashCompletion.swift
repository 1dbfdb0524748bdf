// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine

/// Completion for bash 4 and later; needs nothing but bash.
///
/// Names out of the store never go through `compgen -W`, which expands what it is given.
enum BashCompletion {
  static func script() -> String {
    CompletionScript.header + definitions + words + functions + main
      + "complete -F _stowage \(CompletionScript.programs.joined(separator: " "))\n"
  }

  /// What each command takes.
  private static var definitions: String {
    let globals = GlobalOptions.all
    return """
      # Sets what a command takes: options, those with a value, and what the arguments name. $1 is PROGRAM:COMMAND.
      __stowage_definition() {
        options= valued= kinds=
        case $1 in
      \(CompletionScript.entries.map(definition).joined(separator: "\n"))
          *) \(settings(globals + [GlobalOptions.help], [])) ;;
        esac
      }

      # Prints what the value of an option may be. $1 is PROGRAM:COMMAND OPTION.
      __stowage_values() {
        case $1 in
      \(CompletionScript.entries.flatMap { entry in entry.command.options.map { values($0, entry) } }.joined())\
      \(globals.map { values($0, nil) }.joined())\
        esac
      }


      """
  }

  private static func pattern(_ entry: CompletionScript.Entry?, _ suffixes: [String] = [""]) -> String {
    guard let entry else { return suffixes.map { "*\($0)" }.joined(separator: "|") }
    let program = entry.program ?? "*"
    return entry.command.names.flatMap { name in suffixes.map { "\(program):\(name)\($0)" } }.joined(separator: "|")
  }

  private static func definition(_ entry: CompletionScript.Entry) -> String {
    "    \(pattern(entry))) \(settings(entry.command.allOptions, entry.argumentKinds)) ;;"
  }

  private static func settings(_ options: [OptionDefinition], _ kinds: [ArgumentKind]) -> String {
    func words(_ options: [OptionDefinition]) -> String { options.flatMap(\.names).joined(separator: " ") }
    return "options='\(words(options))' valued=' \(words(options.filter(\.takesValue))) ' "
      + "kinds='\(kinds.map(\.rawValue).joined(separator: " "))'"
  }

  private static func values(_ option: OptionDefinition, _ entry: CompletionScript.Entry?) -> String {
    if option.values.isEmpty { return "" }
    // Blanks in a pattern are quoted.
    let suffixes = option.names.map { "' \($0)'" }
    return "    \(pattern(entry, suffixes))) echo '\(option.values.joined(separator: " "))' ;;\n"
  }

  private static let words = """
    # Sets `words` to the words up to the cursor as they were typed: the shell breaks them at colons and equals signs, too.
    __stowage_words() {
      local rest=$COMP_LINE index word
      words=()
      for ((index = 0; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        if ((index > 0)) && [[ $rest != [[:space:]]* ]]; then words[-1]+=$word; else words+=("$word"); fi
        rest=${rest#*"$word"}
      done
    }

    # Sets `value` to a word as the program would get it, as far as that can be told without running anything.
    __stowage_plain() {
      value=$1
      case $value in
        \\"*\\" | \\'*\\') value=${value:1:${#value}-2} ;;
        \\~ | \\~/*) value=$HOME${value:1} ;;
        *) value=${value//\\\\/} ;;
      esac
    }


    """

  private static let functions = """
    # Offers those of the words that begin with $1.
    __stowage_offer() {
      local start=$1 word
      shift
      for word in "$@"; do [[ $word != "$start"* ]] || COMPREPLY+=("$word"); done
    }

    # Offers files that begin with $1.
    __stowage_files() {
      local name
      while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "$1")
      compopt -o filenames 2>/dev/null
    }

    # Offers the value of option $1, which begins with $2.
    __stowage_value() {
      local known
      known=$(__stowage_values "$program:$command $1")
      if [[ -n $known ]]; then __stowage_offer "$2" $known; else __stowage_files "$2"; fi
      if [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
    }

    __stowage_arguments() {
      local kind name stored=()
      for kind in $kinds; do
        case $kind in
          files) __stowage_files "$current" ;;
          command) while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -c -- "$current") ;;
          verbs) __stowage_offer "$current" $(__stowage_commands) ;;
          shells) __stowage_offer "$current" \(CompletionScript.shells) ;;
          *) stored+=("$kind") ;;
        esac
      done
      if ((${#stored[@]} == 0)); then return; fi
      while IFS= read -r name; do COMPREPLY+=("$name"); done < <(
        "${words[0]}" "${store[@]}" complete-names -- "$current" "${stored[@]}" 2>/dev/null)
    }

    __stowage_commands() {
      if [[ $program == stowage ]]; then
        echo \(CompletionScript.commandNames(of: .stowage))
      else
        echo \(CompletionScript.commandNames(of: .reference))
      fi
    }


    """

  private static let main = """
    _stowage() {
      local words program=containers-storage command= option= ended= options valued kinds value index word store=()
      COMPREPLY=()
      __stowage_words
      if [[ ${words[0]##*/} == stowage ]]; then program=stowage; fi
      local last=$((${#words[@]} - 1)) current=${words[-1]}
      __stowage_definition "$program:"
      for ((index = 1; index < last; index++)); do
        word=${words[index]}
        case $word in
          --) ended=1; break ;;
          \(CompletionScript.storeNames.map { $0 + "=*" }.joined(separator: "|")))
            __stowage_plain "${word#*=}"
            store+=("${word%%=*}" "$value") ;;
          -*)
            if [[ $valued != *" $word "* ]]; then continue; fi
            option=$word
            if ((++index == last)); then break; fi
            option=
            case $word in
              \(CompletionScript.storeNames.joined(separator: "|"))) __stowage_plain "${words[index]}"; store+=("$word" "$value") ;;
            esac ;;
          *)
            if [[ -z $command ]]; then
              command=$word
              __stowage_definition "$program:$command"
            elif [[ $program != stowage ]]; then
              ended=1
            fi ;;
        esac
      done
      if [[ -n $option ]]; then
        __stowage_value "$option" "$current"
      elif [[ $current == --*=* && -z $ended ]]; then
        __stowage_value "${current%%=*}" "${current#*=}"
        COMPREPLY=("${COMPREPLY[@]/#/"${current%%=*}="}")
      elif [[ $current == -* && -z $ended ]]; then
        __stowage_offer "$current" $options
      elif [[ -z $command ]]; then
        __stowage_offer "$current" $(__stowage_commands)
      else
        __stowage_arguments
      fi
      # The shell replaces only what stands behind the last place where it breaks words.
      local breaks=
      if [[ $COMP_WORDBREAKS == *:* ]]; then breaks+=:; fi
      if [[ $COMP_WORDBREAKS == *=* ]]; then breaks+==; fi
      if [[ -n $breaks ]]; then
        local head=${current%"${current##*[$breaks]}"}
        COMPREPLY=("${COMPREPLY[@]#"$head"}")
      fi
    }


    """
}
