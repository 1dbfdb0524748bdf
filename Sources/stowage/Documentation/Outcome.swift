// SPDX-License-Identifier: Apache-2.0

/// How a command can end: what its manual page tells, and what a test tries.
struct Outcome: Hashable, Sendable {
  /// Where what there is to say goes.
  enum Stream: String, Sendable {
    /// Standard output; nothing on standard error.
    case output = "told on standard output"
    /// Standard error; nothing on standard output.
    case error = "told on standard error"
    /// Neither.
    case nowhere = "nothing is told"
  }

  let status: ExitStatus
  /// What has happened, a sentence without its end.
  let text: String
  let stream: Stream

  private init(_ status: ExitStatus, _ text: String, _ stream: Stream) {
    self.status = status
    self.text = text
    self.stream = stream
  }

  /// Those of all commands.
  static let common = [
    Outcome(.failure, "It failed, or an object is not there", .error),
    Outcome(
      .usage, "An option or its value, or the number of arguments, makes no sense; nothing was done", .error),
  ]

  /// Where a command ends in another way, by its first name.
  private static let special: [String: [Outcome]] = [
    "check": [Outcome(.failure, "Something is damaged", .output)],
    "exists": [Outcome(.failure, "Something is not there", .nowhere)],
    "help": [Outcome(.usage, "There is no such command", .error)],
    "prune": [Outcome(.usage, "There is no terminal to ask on, and no --force", .error)],
    "rm": [Outcome(.inUse, "Something is in use", .error)],
  ]

  /// The outcomes that one command has besides success and the common ones.
  static func special(of command: CommandDefinition) -> [Outcome] { special[command.names[0]] ?? [] }

  /// Commands whose arguments name objects and which have another status than the common one if there is none, or none at all.
  static let commandsWithOwnFailure: Set<String> = ["exists", "unshare", "help"]
}

extension ManualPages {
  /// The section about the ends of a command, or of all.
  static func addOutcomes(of command: CommandDefinition?, to page: inout Roff) {
    page.section("Exit status")
    page.entry(["0"], "The command did what it was asked to do.")
    for outcome in Outcome.common + (command.map { Outcome.special(of: $0) } ?? []) {
      page.entry(["\(outcome.status.code)"], "\(outcome.text) (\(outcome.stream.rawValue)).")
    }
    if command?.passesWordsOn == true {
      page.entry(["others"], "That of the program that was run.")
    } else if command?.isInterruptible != false {
      page.entry(["130", "143"], "It was ended by Ctrl-C or SIGTERM, and nothing that is half made was kept.")
    }
  }
}
