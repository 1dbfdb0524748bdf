// SPDX-License-Identifier: Apache-2.0

/// How a command can end: what its manual page tells, and what a test tries.
struct CommandOutcome: Hashable, Sendable {
  /// Where what there is to say goes.
  enum Stream: String, Sendable {
    /// Standard output; nothing on standard error.
    case output = "told on standard output"
    /// Standard error; nothing on standard output.
    case error = "told on standard error"
    /// Standard error, and the line that belongs to it on standard output says nothing.
    case both = "told on standard error; its line on standard output is empty"
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
    CommandOutcome(.failure, "It failed, or an object is not there", .error),
    CommandOutcome(
      .usage, "An option or its value, or the number of arguments, makes no sense; nothing was done", .error),
  ]

  /// Where a command ends in another way, by its first name.
  private static let special: [String: [CommandOutcome]] = [
    "check": [CommandOutcome(.failure, "Something is damaged", .output)],
    "exists": [CommandOutcome(.failure, "Something is not there", .output)],
    "help": [CommandOutcome(.usage, "There is no such command", .error)],
    "metadata": [CommandOutcome(.failure, "Something is not there", .both)],
    "mount": [CommandOutcome(.failure, "Something cannot be mounted", .both)],
    "prune": [CommandOutcome(.usage, "There is no terminal to ask on, and no --force", .error)],
    "rm": [CommandOutcome(.inUse, "Something is in use", .error)],
  ]

  /// The outcomes that one command has besides success and the common ones.
  static func special(of command: CommandDefinition) -> [CommandOutcome] { special[command.names[0]] ?? [] }

  /// Commands whose arguments name objects and which have another status than the common one if there is none, or none at all.
  static let commandsWithOwnFailure: Set<String> = ["exists", "unshare", "help", "metadata", "mount"]
}

extension ManualPages {
  /// The section about the ends of a command, or of all.
  static func addOutcomes(of command: CommandDefinition?, to page: inout Roff) {
    page.section("Exit status")
    page.entry(["0"], "The command did what it was asked to do.")
    for outcome in CommandOutcome.common + (command.map { CommandOutcome.special(of: $0) } ?? []) {
      page.entry(["\(outcome.status.code)"], "\(outcome.text) (\(outcome.stream.rawValue)).")
    }
    if command?.passesWordsOn == true {
      page.entry(["others"], "That of the program that was run.")
    } else if command?.isInterruptible != false {
      page.entry(["130", "143"], "It was ended by Ctrl-C or SIGTERM, and nothing that is half made was kept.")
    }
  }
}
