// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageCommandLine
import StowageModel
import StowageSystem
import SystemPackage

/// `unshare`: runs a program in a user namespace, as its root (cli 22.8; configuration-and-idmaps 16.5).
///
/// The whole command runs in there; here the store is open, which makes its directories as for every command.
enum UnshareCommand {
  private static let status = OptionDefinition(
    "--exit-status", usage: "Exit with the status of the command", isAdditional: true)

  static let definition = CommandDefinition(
    "unshare", arguments: .any, synopsis: "[command [...]]", usage: "Run a command in a user namespace",
    options: [status], entersUserNamespace: true, passesWordsOn: true, run: run)

  /// Any failure of the program is status 1, for scripts' sake.
  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    var words = context.arguments
    if words.isEmpty { words = [environment("SHELL").flatMap(given) ?? "/bin/sh"] }
    let name = words.removeFirst()
    guard let program = Executable.find(name) else {
      throw StorageError(
        .system, Executable.notFoundText(name),
        plain: "there is no program \(goQuoted(name)) in the directories of PATH")
    }
    context.console.flush()
    restoreDescriptorLimit()
    let ended: StowageSystem.ExitStatus
    ChildProcess.catchSignals()
    do throws(Errno) {
      let child = try Syscall.spawn(
        program.string, words, name: name, input: STDIN_FILENO, output: STDOUT_FILENO, error: STDERR_FILENO)
      child.forwardSignals()
      ended = try child.wait()
    } catch {
      throw StorageError(
        .system, "fork/exec \(program): \(error.referenceText)", plain: "start \(program): \(error.referenceText)",
        cause: error)
    }
    if ended.isSuccess { return .success }
    context.console.printError(ended.referenceText)
    guard context.options[flag: status] else { return .failure }
    return switch ended {
    case .exited(let code): ExitStatus(ofChild: CInt(code))
    case .signaled(let number): .signal(CInt(number))
    }
  }
}
