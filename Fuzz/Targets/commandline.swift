// SPDX-License-Identifier: Apache-2.0
private import StowageCommandLine
private import StowageModel

/// Reads the input as words with NULs between them: a command line with options of each kind, and what options take.
///
/// Invariants: what is left are the last words; the options that were read, each in the form that leaves nothing open, mean the
/// same; an error is reported with the words it is thrown with.
func fuzzCommandLine(_ input: [UInt8]) {
  let words = input.split(separator: 0, maxSplits: 40, omittingEmptySubsequences: false).map {
    String(decoding: $0, as: UTF8.self)
  }
  checkValues(words[0])
  guard let (values, rest) = parse(words) else { return }
  let isEnd = rest.utf8Words == words.suffix(rest.count).utf8Words
  precondition(isEnd || rest.isWithoutMark(of: Array(words.suffix(rest.count + 1))), "other words are left")

  guard let again = parse(canonicalWords(values) + ["--"] + rest) else {
    preconditionFailure("refused when written in full")
  }
  precondition(again.rest.utf8Words == rest.utf8Words, "other words are left when options are written in full")
  for option in options {
    let (first, second) = (values[option].texts.utf8Words, again.values[option].texts.utf8Words)
    precondition(first == second, "another value of \(option.key)")
  }
}

/// What the grammar knows: a flag that is off and one that is on, one text and several, short and deprecated spellings.
private let options = [
  OptionDefinition("--quiet", "-q", usage: ""), OptionDefinition("--digest", kind: .flag(default: true), usage: ""),
  OptionDefinition("--name", "-n", kind: .text(default: "d"), usage: ""),
  OptionDefinition(
    "--opt", "-o", "-oo", kind: .list, usage: "", deprecatedName: (name: "--option", replacement: "--opt")),
]

private final class Listener: OptionParser.Reporter {
  var last: OptionProblem?
  func printHelp() { last = nil }
  func report(_ problem: OptionProblem) { last = problem }
  func warn(_ text: String) {}
}

private func parse(_ words: [String]) -> (values: OptionValues, rest: [String])? {
  let listener = Listener()
  var parser = OptionParser(words[...], values: OptionValues(options), reporter: listener)
  do throws(OptionParser.Failure) {
    try parser.parse()
    try parser.refuseLateOptions()
  } catch {
    if case .usage(let problem) = error { precondition(listener.last == problem, "reported otherwise") }
    return nil
  }
  return (parser.values, Array(parser.words))
}

/// Each option that was given, with its value in quotes, of which the parser takes one pair away.
private func canonicalWords(_ values: OptionValues) -> [String] {
  options.filter(values.isGiven).flatMap { option in values[option].texts.map { "\(option.key)=\"\($0)\"" } }
}

/// Values of options that are read by rules of their own.
private func checkValues(_ text: String) {
  if let size = parseSize(text) { precondition(parseSize(String(size)) == size, "another size") }
  _ = try? parseDuration(text)
  guard let ranges = try? parseIDMappings(text, kind: "uid") else { return }
  let again = ranges.map { "\($0.containerID):\($0.hostID):\($0.size)" }.joined(separator: ":")
  guard let same = try? parseIDMappings(again, kind: "uid"), same == ranges else { preconditionFailure("other ranges") }
}

extension OptionValues.Value {
  fileprivate var texts: [String] {
    switch self {
    case .flag(let value): [value ? "true" : "false"]
    case .text(let value): [value]
    case .list(let values): values
    }
  }
}

extension Sequence<String> {
  /// The words as bytes: texts are equal that are not the same bytes.
  fileprivate var utf8Words: [[UInt8]] { map { Array($0.utf8) } }
}

extension [String] {
  /// Whether these are `words` without a `--`.
  fileprivate func isWithoutMark(of words: [String]) -> Bool {
    guard words.count == count + 1 else { return false }
    return words.indices.contains { index in
      words[index] == "--" && words[..<index].utf8Words + words[(index + 1)...].utf8Words == utf8Words
    }
  }
}
