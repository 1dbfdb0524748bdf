// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageConfig
import StowageModel

/// One command: its names, what it accepts, what help says, and what it does.
///
/// Everything that describes a command is derived from its definition: parsing, argument counts and help.
struct CommandDefinition: Sendable {
  typealias Action = @Sendable (CommandContext) throws(StorageError) -> ExitStatus
  /// What can be done without a store. Nil: the command is to go on with one.
  typealias EarlyAction =
    @Sendable (StoreSettings, OptionValues, _ arguments: [String], Console) throws(StorageError) -> ExitStatus?

  /// What needs neither a store nor its configuration.
  typealias StorelessAction =
    @Sendable (OptionValues, _ arguments: [String], Console) throws(StorageError) -> ExitStatus

  /// What a command does.
  enum Body: Sendable {
    case withStore(Action)
    case withoutStore(StorelessAction)
  }

  /// The name shown in help, then the aliases.
  let names: [String]
  let arguments: ArgumentCount
  /// What follows the command's name in the usage line; may be empty.
  let synopsis: String
  let usage: String
  /// More than ``usage`` for the manual page: paragraphs with empty lines between them. May be empty.
  let details: String
  /// What the arguments name, for completion, where the words of the synopsis do not say it.
  let completes: [ArgumentKind]?
  /// The command's own options; the global ones come on top.
  let options: [OptionDefinition]
  /// Whether SIGHUP, SIGINT and SIGTERM unwind the operation, so that nothing half-made stays, instead of ending the process.
  let isInterruptible: Bool
  /// Whether the command runs in a user namespace always, not only if `--unshare` says so.
  let entersUserNamespace: Bool
  /// Whether the arguments are words of another program's command line, which may look like options.
  let passesWordsOn: Bool
  /// Runs before the store is opened.
  let beforeStore: EarlyAction?
  let body: Body

  init(
    _ names: String..., arguments: ArgumentCount, synopsis: String = "", usage: String, details: String = "",
    completes: [ArgumentKind]? = nil, options: [OptionDefinition] = [], isInterruptible: Bool = false,
    entersUserNamespace: Bool = false,
    passesWordsOn: Bool = false, beforeStore: EarlyAction? = nil, run: @escaping Action
  ) {
    precondition(!names.isEmpty, "a command has at least one name")
    self.names = names
    self.details = details
    self.arguments = arguments
    self.synopsis = synopsis
    self.usage = usage
    self.options = options
    self.completes = completes
    self.isInterruptible = isInterruptible
    self.entersUserNamespace = entersUserNamespace
    self.passesWordsOn = passesWordsOn
    self.beforeStore = beforeStore
    body = .withStore(run)
  }

  /// A command that only needs its arguments.
  init(
    _ name: String, arguments: ArgumentCount, synopsis: String = "", usage: String, details: String = "",
    completes: [ArgumentKind]? = nil, options: [OptionDefinition] = [], withoutStore run: @escaping StorelessAction
  ) {
    names = [name]
    self.arguments = arguments
    self.synopsis = synopsis
    self.usage = usage
    self.details = details
    self.options = options
    self.completes = completes
    isInterruptible = false
    entersUserNamespace = false
    passesWordsOn = false
    beforeStore = nil
    body = .withoutStore(run)
  }
}

/// How many arguments a command takes.
struct ArgumentCount: Sendable {
  let minimum: Int
  /// Nil: unlimited.
  let maximum: Int?

  static let none = ArgumentCount(minimum: 0, maximum: 0)
  static let optional = ArgumentCount(minimum: 0, maximum: 1)
  static let one = ArgumentCount(minimum: 1, maximum: 1)
  static let oneOrTwo = ArgumentCount(minimum: 1, maximum: 2)
  static let two = ArgumentCount(minimum: 2, maximum: 2)
  static let oneOrMore = ArgumentCount(minimum: 1, maximum: nil)
  static let twoOrMore = ArgumentCount(minimum: 2, maximum: nil)
  static let any = ArgumentCount(minimum: 0, maximum: nil)

  /// What `stowage` says about a wrong number of arguments; nil if the number is right.
  func complaint(about arguments: [String]) -> String? {
    if arguments.count < minimum { return arguments.isEmpty ? "an argument is missing" : "one more argument is needed" }
    guard let maximum, arguments.count > maximum else { return nil }
    let extra = arguments[maximum...].map(goQuoted).joined(separator: " ")
    return maximum == 0 ? "takes no arguments, but there is \(extra)" : "too many arguments: \(extra)"
  }

  /// What the reference says about it (cli 6).
  func problem(with arguments: [String]) -> String? {
    if arguments.count < minimum { return "more arguments required." }
    if let maximum, arguments.count > maximum { return "too many arguments ([\(arguments.joined(separator: " "))])." }
    return nil
  }
}
