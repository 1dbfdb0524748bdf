// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@testable import stowage_cli

/// Exit statuses and streams of every command, as its manual page tells them.
@Suite("Outcomes of commands") struct OutcomeTests {
  let store: CommandStore

  init() throws {
    store = try CommandStore("vfs", program: stowageItself().string)
    #expect(try store("create-layer", "-i", "layer").isSuccess)
  }

  private func expect(_ outcome: CommandOutcome, of words: [String]) throws {
    let result = try store.run(words)
    #expect(result.status == .exited(Int(outcome.status.code)), "\(words): \(result)")
    #expect(result.outputText.isEmpty == (outcome.stream == .error), "\(words): \(result)")
    #expect(result.errorText.isEmpty == (outcome.stream == .output), "\(words): \(result)")
  }

  private static let commands = CommandTable.commands(of: .stowage)

  @Test func `An option that is none, and too few or too many arguments, end each command with 125 and no output`()
    throws
  {
    let usage = CommandOutcome.common[1]
    for command in Self.commands {
      let name = command.names[0]
      try expect(usage, of: [name, "--no-such-option"])
      if command.arguments.minimum > 0 { try expect(usage, of: [name]) }
      if let most = command.arguments.maximum {
        try expect(usage, of: [name] + Array(repeating: "layer", count: most + 1))
      }
    }
  }

  /// What else a command needs before it looks for the object.
  private static let needed: [String: [String]] = [
    "add-names": ["-n", "x"], "remove-names": ["-n", "x"], "set-names": ["-n", "x"], "set-metadata": ["-m", "x"],
    "copy": ["/dev/null"], "untag": ["-a"], "relocate": ["--to", "graph-root"], "save": ["-o", "/nonexistent/x"],
    "export": ["-o", "/nonexistent/x"],
  ]

  @Test func `What is not there ends each command that takes objects with 1, told on standard error`() throws {
    for command in Self.commands where !CommandOutcome.commandsWithOwnFailure.contains(command.names[0]) {
      let kinds = command.argumentKinds(for: .stowage)
      guard kinds.contains(where: \.isStored), command.arguments.minimum > 0 else { continue }
      let name = command.names[0]
      let words = [name] + (Self.needed[name] ?? [])
      let count = command.arguments.minimum - (name == "copy" ? 1 : 0)
      let missing = Array(repeating: name == "copy" ? "nosuch:/x" : "nosuch", count: count)
      try expect(CommandOutcome.common[0], of: words + missing)
    }
  }

  /// An example of each outcome that only one command has.
  private func examples() throws -> [String: [[String]]] {
    #expect(try store("create-image", "-i", "image", "-n", "localhost/i:1", "layer").isSuccess)
    #expect(try store("create", "i:1", "web").isSuccess)
    #expect(try store("create-image", "-i", "bare", "layer").isSuccess)
    return [
      "exists": [["nosuch"], ["layer", "nosuch"]], "mount": [["nosuch"]], "metadata": [["nosuch"]],
      "help": [["nosuch"]], "rm": [["localhost/i:1"]], "prune": [[]],
      "check": [[]],
    ]
  }

  @Test func `What only one command does is as its page says`() throws {
    let examples = try examples()
    for command in Self.commands {
      for outcome in CommandOutcome.special(of: command) {
        // Damage comes last, since it is in the way of others.
        if command.names[0] == "check" {
          let file = "\(store.graphRoot)/vfs/dir/layer"
          _ = try run("rm", "-r", file)
        }
        for words in try #require(examples[command.names[0]], "no example of \(command.names[0])") {
          try expect(outcome, of: [command.names[0]] + words)
        }
      }
    }
  }

  @Test func `Pages tell of the ends that their command has`() throws {
    for command in Self.commands {
      let page = try #require(ManualPages.all().first { $0.file == "stowage-\(command.names[0]).1" }).text
      for outcome in CommandOutcome.special(of: command) + CommandOutcome.common {
        #expect(page.contains(outcome.stream.rawValue), "\(command.names[0])")
      }
      #expect(page.contains("Ctrl\\-C") == (command.isInterruptible && !command.passesWordsOn), "\(command.names[0])")
    }
  }
}
