// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Commands with what they must show, written as the specification writes them:
///
///     ! shell commands that prepare files, in the working directory of the commands
///     export NAME=value for all commands that follow
///     with options before all commands that follow
///     $ words of a command, 'quoted' where they hold blanks or are empty, <FILE for standard input
///     1| a line of standard output
///     2| a line of standard error
///     rc=1
///
/// `→` is a TAB, `(no LF)` at the end of a line means that no line feed follows, `…` as the last line of a stream
/// that anything may follow. `1vfs| ` is a line of that driver only. `<driver>` is the driver, `/w` the working
/// directory; the graph root is `/w/g`, the run root `/w/r`. In lines, `<64>` is any identifier or digest, in words the one
/// that was shown last. A status of 0 needs no line.
struct Transcript {
  struct Step {
    var words: [String] = []
    var variables: [String: String] = [:]
    var options: [String] = []
    var inputFile: String?
    var output = ""
    var error = ""
    var status = 0
    var preparation: String?
  }

  private(set) var steps: [Step] = []

  init(_ text: String, driver: String = "vfs") {
    var variables: [String: String] = [:]
    var options: [String] = []
    for line in text.split(separator: "\n").map({ $0.replacing("<driver>", with: driver) }) {
      if line.hasPrefix("! ") {
        steps.append(Step(preparation: String(line.dropFirst(2))))
      } else if line.hasPrefix("export "), let equals = line.firstIndex(of: "=") {
        let name = line[..<equals].dropFirst("export ".count)
        variables[String(name)] = String(line[equals...].dropFirst())
      } else if line.hasPrefix("with ") {
        options = Self.command(line.dropFirst("with ".count)).words
      } else if line.hasPrefix("$ ") {
        steps.append(Self.command(line.dropFirst(2)))
        (steps[steps.count - 1].variables, steps[steps.count - 1].options) = (variables, options)
      } else if line.hasPrefix("rc="), let status = Int(line.dropFirst(3)), !steps.isEmpty {
        steps[steps.count - 1].status = status
      } else if let bar = line.firstIndex(of: "|"), let stream = line.first, stream == "1" || stream == "2",
        !steps.isEmpty
      {
        let only = line[line.index(after: line.startIndex)..<bar]
        guard only.isEmpty || only == driver else { continue }
        let shown = Self.shown(line[line.index(after: bar)...].dropFirst())
        if stream == "1" { steps[steps.count - 1].output += shown } else { steps[steps.count - 1].error += shown }
      } else {
        Issue.record("not a line of a transcript: \(line)")
      }
    }
  }

  private static func shown(_ line: Substring) -> String {
    let text = line.replacing("→", with: "\t")
    return text.hasSuffix(" (no LF)") ? String(text.dropLast(" (no LF)".count)) : text + "\n"
  }

  private static func command(_ line: Substring) -> Step {
    var step = Step()
    var word = ""
    var isWord = false
    var isQuoted = false
    func end() {
      if isWord, word.hasPrefix("<"), !word.hasPrefix("<64>") {
        step.inputFile = String(word.dropFirst())
      } else if isWord {
        step.words.append(word)
      }
      (word, isWord) = ("", false)
    }
    for character in line {
      if character == "'" {
        isQuoted.toggle()
        isWord = true
      } else if character == " ", !isQuoted {
        end()
      } else {
        word.append(character)
        isWord = true
      }
    }
    end()
    return step
  }
}

extension CommandStore {
  /// Runs the commands of a transcript in order and records each that shows something else.
  func replay(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let directory = self.directory.path.string
    var identifier = ""
    for step in Transcript(text, driver: driver).steps {
      if let preparation = step.preparation {
        let done = try runOther(["sh", "-c", preparation])
        #expect(done.isSuccess, "\(preparation): \(done)", sourceLocation: sourceLocation)
        continue
      }
      func filled(_ text: String) -> String {
        text.replacing("<64>", with: identifier).replacing("/w/", with: directory + "/")
      }
      let input = try step.inputFile.map { Array(try self.directory.appending($0).readText().utf8) } ?? []
      let result = try run(
        (step.options + step.words).map(filled), input: input, adding: step.variables.mapValues(filled))
      if let match = result.outputText.firstMatch(of: #/\b[0-9a-f]{64}\b/#) { identifier = String(match.output) }
      let (output, error) = (settled(result.outputText, step.output), settled(result.errorText, step.error))
      let isSame = output == step.output && error == step.error && result.status == .exited(step.status)
      let report = """
        \(driver): \(step.words.joined(separator: " "))
        \(result)
        === expected, rc=\(step.status)
        --- output
        \(step.output)
        --- error
        \(step.error)
        """
      #expect(isSame, "\(report)", sourceLocation: sourceLocation)
    }
  }

  /// What was shown, with chance replaced as far as the expected text has its place holders.
  private func settled(_ text: String, _ expected: String) -> String {
    var text = text.replacing(directory.path.string, with: "/w")
    text = text.replacing(#/"created":"[^"]*"/#, with: #""created":"…""#)
    // Depends on the host's /etc/subuid and /etc/subgid.
    let rangesMissing = #/time="[^"]*" level=warning msg="(Reading allowed ID mappings: |Found no .ID ranges ).*\n/#
    text = text.replacing(rangesMissing, with: "")
    text = text.replacing(#/time="[^"]*"/#, with: #"time="…""#)
    if expected.contains("<64>") { text = text.replacing(#/\b[0-9a-f]{64}\b/#, with: "<64>") }
    if expected.hasSuffix("…\n"), text.hasPrefix(expected.dropLast(2)) { return expected }
    return text
  }
}
