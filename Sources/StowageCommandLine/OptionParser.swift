// SPDX-License-Identifier: Apache-2.0

/// Reads options from the front of a list of words, by the grammar of the reference (cli 3).
///
/// It differs from getopt and from swift-argument-parser: long names need two dashes and short ones one, values are
/// never attached to a short name, groups of short names drop their value, and the first word that is no option ends
/// the parse (`docs/decisions/0001-option-grammar.md`).
package struct OptionParser {
  /// How a parse ended early.
  package enum Failure: Error, Equatable {
    /// `-h`, `-help` or `--help` where it is not defined as an option. Help has been printed.
    case helpRequested
    /// A mistake, which has been reported.
    case usage(OptionProblem)
  }

  /// What the parser prints while it reads. Errors in a group are reported more than once, so these are events.
  package protocol Reporter: AnyObject {
    /// Prints the help that belongs to the options being parsed, with their values from before the parse.
    func printHelp()
    /// Prints what is wrong.
    func report(_ problem: OptionProblem)
    /// Prints one line of warning on standard error.
    func warn(_ text: String)
  }

  /// What the words read so far say.
  package private(set) var values: OptionValues
  /// The words not read yet; after the parse, the arguments.
  package private(set) var words: ArraySlice<String>
  private let reporter: any Reporter
  /// Whether `--` ended the options: what follows is taken as it is.
  private var isEnded = false

  /// Reads `words`, on top of `values`.
  package init(_ words: ArraySlice<String>, values: OptionValues, reporter: any Reporter) {
    self.words = words
    self.values = values
    self.reporter = reporter
  }

  private enum Step {
    case option
    case end
    case unknownShort(name: String)
  }

  /// Reads all options at the front of the words.
  ///
  /// Stops at an empty word, at a word that does not begin with `-`, at `-`, and behind `--`.
  package mutating func parse() throws(Failure) {
    while true {
      switch try parseOne() {
      case .option: continue
      case .end: return
      case .unknownShort(let name): try parseGroup(name)
      }
    }
  }

  /// Reads options in front of, between and behind arguments, up to `--`.
  ///
  /// - Returns: the arguments.
  package mutating func parseAnywhere() throws(Failure) -> [String] {
    var arguments: [String] = []
    while true {
      try parse()
      if isEnded { return arguments + words }
      guard let argument = words.popFirst() else { return arguments }
      arguments.append(argument)
    }
  }

  /// Looks at what the parse left: a word behind an argument that looks like an option is refused, for `delete-image NAME -t`
  /// must not delete what was only to be tested. `--` there is taken away, and what follows it may begin with `-`.
  package mutating func refuseLateOptions() throws(Failure) {
    if isEnded { return }
    for index in words.indices {
      let word = words[index]
      if word == "--" {
        words.remove(at: index)
        return
      }
      guard word.utf8.first == UInt8(ascii: "-"), word.utf8.count > 1 else { continue }
      throw fail(.late(word))
    }
  }

  private mutating func parseOne() throws(Failure) -> Step {
    guard let word = words.first, word.utf8.first == UInt8(ascii: "-"), word.utf8.count > 1 else { return .end }
    words.removeFirst()
    if word == "--" {
      isEnded = true
      return .end
    }

    var name = word
    var attached: String?
    if let equals = word.utf8.firstIndex(of: UInt8(ascii: "=")) {
      name = String(word[..<equals])
      attached = withoutOuterQuotes(word[word.utf8.index(after: equals)...])
    }
    guard name.utf8.count > 1 else { throw fail(.syntax(word)) }
    guard let option = values.definition(named: name) else {
      if ["--help", "-help", "-h"].contains(name) {
        reporter.printHelp()
        throw .helpRequested
      }
      guard !name.hasPrefix("--") else { throw fail(.unknown(name)) }
      return .unknownShort(name: String(name.dropFirst()))
    }
    try store(attached, for: option, spelled: name)
    if let deprecated = option.deprecatedName, deprecated.name == name {
      reporter.warn(
        "Warning: '\(name)' is deprecated, it will be replaced by '\(deprecated.replacement)' soon. See usage.")
    }
    return .option
  }

  /// `-qj`: each letter as a word of its own. A value attached to the group is dropped, as the reference does.
  private mutating func parseGroup(_ letters: String) throws(Failure) {
    let unknown = OptionProblem.unknown("-\(letters)")
    guard letters.unicodeScalars.count > 1 else { throw fail(unknown) }
    for letter in letters.unicodeScalars {
      words.insert("-\(letter)", at: words.startIndex)
      var isKnown = true
      do throws(Failure) {
        // A "-" in a group is the word "--", which is taken away and does not end anything here.
        if case .unknownShort = try parseOne() { isKnown = false }
        isEnded = false
      } catch {
        isKnown = false
      }
      guard isKnown else { throw fail(unknown) }
    }
  }

  private mutating func store(_ attached: String?, for option: OptionDefinition, spelled name: String) throws(Failure) {
    if case .flag = option.kind {
      guard let attached else { return values.give(option, .flag(true)) }
      return values.give(option, .flag(try boolean(attached, for: name)))
    }
    guard let text = attached ?? words.popFirst() else { throw fail(.missingValue(name)) }
    if case .list(let earlier) = values[option] {
      values.give(option, .list(earlier + [text]))
    } else {
      values.give(option, .text(text))
    }
  }

  private func boolean(_ text: String, for name: String) throws(Failure) -> Bool {
    switch text {
    case "1", "t", "T", "TRUE", "true", "True": return true
    case "0", "f", "F", "FALSE", "false", "False": return false
    default: throw fail(.notBoolean(text, option: name))
    }
  }

  private func fail(_ problem: OptionProblem) -> Failure {
    reporter.report(problem)
    return .usage(problem)
  }
}

/// The text without one pair of matching outer quotes. A lone quote character is taken literally (cli 25, W9).
private func withoutOuterQuotes(_ text: Substring) -> String {
  let bytes = text.utf8
  guard bytes.count >= 2, let quote = bytes.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
    bytes.last == quote
  else { return String(text) }
  return String(Substring(bytes.dropFirst().dropLast()))
}
