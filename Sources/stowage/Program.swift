// SPDX-License-Identifier: Apache-2.0
import Stowage
import StowageConfig
import StowageModel
import StowageStore
import StowageSystem
import SystemPackage

/// One run of the program, from its words to its exit status (cli 2).
struct Program {
  private let programName: String
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
    let home = environment("HOME") ?? ""
    help = HelpPrinter(
      home: home.isEmpty || home == "/" ? nil : home,
      showsAdditional: programName.split(separator: "/").last == "stowage")
  }

  /// Runs the command and writes all output.
  func run() -> ExitStatus {
    // The runtime reads the arguments, the program's name among them, from there.
    if !Syscall.exists("/proc/self/cmdline") {
      console.printError(
        "cannot read the command line: /proc/self/cmdline is not there; mount a proc file system on /proc")
      return .failure
    }
    let status = dispatch()
    console.flush()
    guard status == .success, let problem = console.outputProblem else { return status }
    console.printError("write /dev/stdout: \(problem)")
    return .failure
  }

  /// The first parse: the words before the command.
  private func dispatch() -> ExitStatus {
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
      let text = if case .usage(let text) = error { text } else { "flag: help requested" }
      console.print("\(text) while parsing arguments (1)")
      reporter.printHelp()
      return .failure
    }
    if parser.values[flag: GlobalOptions.help] {
      console.write(HelpPrinter.mainText(CommandTable.reference) + help.optionsText(initial))
      if help.showsAdditional {
        console.write(HelpPrinter.additionalText(CommandTable.own))
      }
      return .success
    }
    var rest = parser.words
    guard let word = rest.popFirst() else {
      reporter.printHelp()
      return .failure
    }
    guard let command = CommandTable.command(named: word, of: Face(programName: programName)) else {
      console.print("\(word): unrecognized command.")
      return .failure
    }
    LogSink.install()
    let selection = StoreSelection(beforeCommand: parser.values)
    let values = selection.startingValues(parser.values, globals: globals).adding(command.options)
    return run(command, typedAs: word, rest, values, selection)
  }

  /// The second parse, the argument count, and the command.
  private func run(
    _ command: CommandDefinition, typedAs word: String, _ words: ArraySlice<String>, _ values: OptionValues,
    _ selection: StoreSelection
  ) -> ExitStatus {
    let reporter = ParseReporter(console, help, .command(command, typedAs: word), values, programName: programName)
    var parser = OptionParser(words, values: values, reporter: reporter)
    do throws(OptionParser.Failure) {
      try parser.parse()
      if !command.passesWordsOn { try parser.refuseLateOptions() }
    } catch {
      return .usage
    }
    let arguments = Array(parser.words)
    if let problem = command.arguments.problem(with: arguments) {
      console.print("\(word): \(problem)")
      reporter.printHelp()
      return .failure
    }
    switch command.body {
    case .withoutStore(let action):
      return reportingErrors { () throws(StorageError) in try action(arguments, console) }
    case .withStore(let action):
      if let status = enterUserNamespace(for: command, parser.values) { return status }
      raiseDescriptorLimit()
      LogSink.setLevel(isDebugging: parser.values[flag: GlobalOptions.debug])
      return perform(command, action, arguments, parser.values, selection.updated(by: parser.values))
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
      console.print("error initializing: \(error.message)")
      if let explanation = settings.explanation(of: error) { console.printError(explanation) }
      return .failure
    }
    if command.isInterruptible { Interruption.install() }
    return reportingErrors { () throws(StorageError) in
      try action(
        CommandContext(
          store: store, options: values, arguments: arguments, console: console,
          isInPassingNamespace: isInPassingNamespace))
    }
  }

  private func reportingErrors(_ action: () throws(StorageError) -> ExitStatus) -> ExitStatus {
    do throws(StorageError) {
      return try action()
    } catch {
      if let signal = Interruption.signal { return .signal(signal) }
      console.printError(error.message)
      return .failure
    }
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
