// SPDX-License-Identifier: Apache-2.0
import Stowage
import StowageCommandLine
import StowageConfig
import StowageModel
import StowageStore
import StowageSystem
import SystemPackage

/// One run of the program, from its words to its exit status (cli 2).
struct Program {
  private let programName: String
  private let face: Face
  /// Whether this process was started to run its command in a user namespace, which ends with it.
  private let isInPassingNamespace: Bool
  private let words: ArraySlice<String>
  private let console = Console()
  private let help: HelpPrinter

  /// - Parameter words: the program's name as started, then the words of the command line.
  init(_ words: [String]) {
    var name = words.first ?? "containers-storage"
    isInPassingNamespace = name.hasSuffix(UserNamespace.nameSuffix)
    if isInPassingNamespace { name.removeLast(UserNamespace.nameSuffix.count) }
    programName = name
    self.words = words.dropFirst()
    face = Face(programName: name)
    let home = environment("HOME") ?? ""
    help = HelpPrinter(home: home.isEmpty || home == "/" ? nil : home)
  }

  /// Runs the command and writes all output.
  func run() -> ExitStatus {
    // The runtime reads the arguments, the program's name among them, from there.
    if !Syscall.exists("/proc/self/cmdline") {
      console.printError(
        "cannot read the command line: /proc/self/cmdline is not there; mount a proc file system on /proc")
      return .failure
    }
    let status = face == .stowage ? dispatchAsStowage() : dispatchAsReference()
    console.flush()
    guard status == .success, let problem = console.outputProblem else { return status }
    console.printError("write /dev/stdout: \(problem)")
    return .failure
  }

  /// The first parse of `stowage`: the words before the command.
  private func dispatchAsStowage() -> ExitStatus {
    let globals = GlobalOptions.all
    let initial = OptionValues(globals + [GlobalOptions.version])
    let reporter = StowageReporter(console, nil, initial)
    var parser = OptionParser(words, values: initial, reporter: reporter)
    do throws(OptionParser.Failure) {
      try parser.parse()
    } catch {
      return error == .helpRequested ? .success : .usage
    }
    if parser.values[flag: GlobalOptions.version] {
      VersionCommand.printVersion(console, asJSON: false)
      return .success
    }
    var rest = parser.words
    guard let word = rest.popFirst() else {
      reporter.complain("no command is given")
      return .usage
    }
    guard let command = CommandTable.command(named: word, of: .stowage) else {
      reporter.complain(HelpCommand.unknown(word))
      return .usage
    }
    return start(command, typedAs: word, rest, parser.values, globals)
  }

  /// The first parse of the reference.
  private func dispatchAsReference() -> ExitStatus {
    let globals = GlobalOptions.all
    let initial = OptionValues(words.isEmpty ? globals : globals + [GlobalOptions.help])
    let reporter = ParseReporter(console, help, .main, initial, programName: programName)
    guard !words.isEmpty else {
      reporter.printHelp()
      return .failure
    }
    var parser = OptionParser(words, values: initial, reporter: reporter)
    do throws(OptionParser.Failure) {
      try parser.parse()
    } catch {
      let text = if case .usage(let problem) = error { problem.referenceText } else { "flag: help requested" }
      console.print("\(text) while parsing arguments (1)")
      reporter.printHelp()
      return .failure
    }
    if parser.values[flag: GlobalOptions.help] {
      console.write(HelpPrinter.mainText(CommandTable.reference) + help.optionsText(initial))
      return .success
    }
    var rest = parser.words
    guard let word = rest.popFirst() else {
      reporter.printHelp()
      return .failure
    }
    guard let command = CommandTable.command(named: word, of: .reference) else {
      console.print("\(word): unrecognized command.")
      return .failure
    }
    return start(command, typedAs: word, rest, parser.values, globals)
  }

  /// The second parse and the argument count, then the command.
  private func start(
    _ command: CommandDefinition, typedAs word: String, _ words: ArraySlice<String>, _ before: OptionValues,
    _ globals: [OptionDefinition]
  ) -> ExitStatus {
    LogSink.install(for: face)
    // Reading the configuration may make a directory, which completion must not.
    let isForCompletion = command.names == CompleteNamesCommand.definition.names
    let selection = StoreSelection(beforeCommand: before, isConfigured: !isForCompletion)
    let values = isForCompletion ? before : selection.startingValues(before, globals: globals).adding(command.options)
    let parsed =
      switch face {
      case .stowage: parseAsStowage(command, typedAs: word, words, values)
      case .reference: parseAsReference(command, typedAs: word, words, values)
      }
    switch parsed {
    case .ended(let status): return status
    case .ready(let values, let arguments): return run(command, arguments, values, selection)
    }
  }

  /// What the second parse came to.
  private enum Parsed {
    case ready(OptionValues, arguments: [String])
    /// All is said.
    case ended(ExitStatus)
  }

  private func parseAsStowage(
    _ command: CommandDefinition, typedAs word: String, _ words: ArraySlice<String>, _ values: OptionValues
  ) -> Parsed {
    let reporter = StowageReporter(console, (command, word), values)
    var parser = OptionParser(words, values: values, reporter: reporter)
    let arguments: [String]
    do throws(OptionParser.Failure) {
      if command.passesWordsOn {
        try parser.parse()
        arguments = Array(parser.words)
      } else {
        arguments = try parser.parseAnywhere()
      }
    } catch {
      return .ended(error == .helpRequested ? .success : .usage)
    }
    if let complaint = command.arguments.complaint(about: arguments) {
      reporter.complain(complaint)
      return .ended(.usage)
    }
    return .ready(parser.values, arguments: arguments)
  }

  private func parseAsReference(
    _ command: CommandDefinition, typedAs word: String, _ words: ArraySlice<String>, _ values: OptionValues
  ) -> Parsed {
    let reporter = ParseReporter(console, help, .command(command, typedAs: word), values, programName: programName)
    var parser = OptionParser(words, values: values, reporter: reporter)
    do throws(OptionParser.Failure) {
      try parser.parse()
      if !command.passesWordsOn { try parser.refuseLateOptions() }
    } catch {
      return .ended(.usage)
    }
    let arguments = Array(parser.words)
    if let problem = command.arguments.problem(with: arguments) {
      console.print("\(word): \(problem)")
      reporter.printHelp()
      return .ended(.failure)
    }
    return .ready(parser.values, arguments: arguments)
  }

  private func run(
    _ command: CommandDefinition, _ arguments: [String], _ values: OptionValues, _ selection: StoreSelection
  ) -> ExitStatus {
    switch command.body {
    case .withoutStore(let action):
      return reportingErrors { () throws(StorageError) in try action(values, arguments, console) }
    case .withStore(let action):
      if let status = enterUserNamespace(for: command, values) { return status }
      raiseDescriptorLimit()
      LogSink.setLevel(isDebugging: values[flag: GlobalOptions.debug], for: face)
      return perform(command, action, arguments, values, selection.updated(by: values))
    }
  }

  /// Runs the whole command in a user namespace if it needs one, before anything has started a thread (cli 9).
  ///
  /// - Returns: how the command ended there; nil if this process is the one to run it.
  private func enterUserNamespace(for command: CommandDefinition, _ values: OptionValues) -> ExitStatus? {
    let wanted = values[flag: GlobalOptions.unshare]
    let mustEnter = command.entersUserNamespace || (wanted && values.isGiven(GlobalOptions.unshare))
    guard mustEnter || wanted else { return nil }
    console.flush()
    do throws(StorageError) {
      return try UserNamespace.enter(mustEnter ? .always : .whenNeeded).map { ExitStatus(ofChild: $0) }
    } catch {
      // The kernel's refusal is told by the process inside in the reference, which has no log.
      if error.code == .notSupported {
        console.printError(error.message)
      } else {
        for line in error.message.split(separator: "\n") { Log.error(String(line)) }
      }
      return .failure
    }
  }

  private func perform(
    _ command: CommandDefinition, _ action: CommandDefinition.Action, _ arguments: [String], _ values: OptionValues,
    _ chosen: StoreSettings
  ) -> ExitStatus {
    logSelection(chosen.options)
    LockWaits.announce()
    var settings = chosen
    let store: Store
    do throws(StorageError) {
      settings = try StoreSelection.completed(chosen)
      settings.log()
      if let status = try command.beforeStore?(settings, values, arguments, console) { return status }
      var options = settings.options
      options.lockTimeout = try LockWaits.limit(values[text: GlobalOptions.lockTimeout])
      store = try Store.open(options)
    } catch {
      switch face {
      case .reference: console.print("error initializing: \(error.message)")
      case .stowage:
        if error.code == .usage { return failed(error) }
        console.printError("cannot open the store: \(error.plainMessage)")
      }
      if let explanation = settings.explanation(of: error) { console.printError(explanation) }
      return .failure
    }
    if command.isInterruptible { Interruption.install() }
    return reportingErrors { () throws(StorageError) in
      try action(
        CommandContext(
          store: store, options: values, arguments: arguments, console: console, face: face,
          isInPassingNamespace: isInPassingNamespace))
    }
  }

  private func reportingErrors(_ action: () throws(StorageError) -> ExitStatus) -> ExitStatus {
    do throws(StorageError) {
      return try action()
    } catch {
      if let signal = Interruption.signal { return .signal(signal) }
      return failed(error)
    }
  }

  /// Says why a command failed. As `stowage`, what the words ask for wrongly ends as a mistake that the parser finds.
  private func failed(_ error: StorageError) -> ExitStatus {
    console.printError(error.text(for: face))
    return face == .stowage && error.code == .usage ? .usage : .failure
  }

  /// The four lines that `--debug` output begins with (cli 8).
  private func logSelection(_ options: StoreOptions) {
    Log.debug("Root: \(options.graphRoot)")
    Log.debug("Run Root: \(options.runRoot)")
    Log.debug("Driver Name: \(options.driverName)")
    Log.debug("Driver Options: [\(options.driverOptions.joined(separator: " "))]")
  }
}

@main
struct Main {
  static func main() {
    Interruption.ignoreFailedWrites()
    Interruption.end(Program(CommandLine.arguments).run())
  }
}
