// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Commands with what they must show, written as the specification writes them:
///
///     ! shell commands that prepare files, in the working directory of the commands
///     $ words of a command, 'quoted' where they hold blanks or are empty, <FILE for standard input
///     1| a line of standard output
///     2| a line of standard error
///     rc=1
///
/// `→` is a TAB, `(no LF)` at the end of a line means that no line feed follows, `…` as the last line of a stream
/// that anything may follow. `1vfs| ` is a line of that driver only. In lines, `<64>` is any identifier or digest,
/// `<driver>` the driver, `/w` the working directory; the graph root is `/w/g`, the run root `/w/r`. In words, `<64>`
/// is the identifier that was shown last. A status of 0 needs no line.
struct Transcript {
  struct Step {
    var words: [String] = []
    var inputFile: String?
    var output = ""
    var error = ""
    var status = 0
    var preparation: String?
  }

  private(set) var steps: [Step] = []

  init(_ text: String, driver: String = "vfs") {
    for line in text.split(separator: "\n") {
      if line.hasPrefix("! ") {
        steps.append(Step(preparation: String(line.dropFirst(2))))
      } else if line.hasPrefix("$ ") {
        steps.append(Self.command(line.dropFirst(2)))
      } else if line.hasPrefix("rc="), let status = Int(line.dropFirst(3)), !steps.isEmpty {
        steps[steps.count - 1].status = status
      } else if let bar = line.firstIndex(of: "|"), let stream = line.first, stream == "1" || stream == "2",
        !steps.isEmpty
      {
        let only = line[line.index(after: line.startIndex)..<bar]
        guard only.isEmpty || only == driver else { continue }
        let shown = Self.shown(line[line.index(after: bar)...].dropFirst(), driver)
        if stream == "1" { steps[steps.count - 1].output += shown } else { steps[steps.count - 1].error += shown }
      } else {
        Issue.record("not a line of a transcript: \(line)")
      }
    }
  }

  private static func shown(_ line: Substring, _ driver: String) -> String {
    let text = line.replacing("→", with: "\t").replacing("<driver>", with: driver)
    return text.hasSuffix(" (no LF)") ? String(text.dropLast(" (no LF)".count)) : text + "\n"
  }

  private static func command(_ line: Substring) -> Step {
    var step = Step()
    var word = ""
    var isWord = false
    var isQuoted = false
    func end() {
      if isWord, word.hasPrefix("<"), word != "<64>" {
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
        let done = try StowageTestSupport.run(["sh", "-c", "cd \(directory) && \(preparation)"])
        #expect(done.isSuccess, "\(preparation): \(done)", sourceLocation: sourceLocation)
        continue
      }
      let words = step.words.map {
        $0 == "<64>" ? identifier : $0.hasPrefix("/w/") ? directory + $0.dropFirst(2) : $0
      }
      let input = try step.inputFile.map { Array(try self.directory.appending($0).readText().utf8) } ?? []
      let result = try run(words, input: input)
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
