// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// Runs a command without a result: nothing in text, `""` in JSON; a failure is `NAME: TEXT` and `{}` (cli 22.7).
private func performSilently(
  _ name: String, _ context: CommandContext, _ action: () throws(StorageError) -> Void
) throws(StorageError) -> ExitStatus {
  do throws(StorageError) {
    try action()
    if context.wantsJSON { context.console.printJSON(.string("")) }
    return .success
  } catch {
    if context.wantsJSON { context.console.printJSON(.object([])) }
    throw error.wrapped(name)
  }
}

/// `shutdown`: cleans up after the driver if nothing is mounted; with `--force` unmounts first (cli 22.7).
enum ShutdownCommand {
  private static let force = OptionDefinition("--force", "-f", usage: "Unmount mounted layers first")

  static let definition = CommandDefinition(
    "shutdown", arguments: .none, usage: "Shut down layer storage", options: [force, .json]
  ) { (context: CommandContext) throws(StorageError) in
    try performSilently("shutdown", context) { () throws(StorageError) in
      guard try context.store.shutdown(force: context.options[flag: force]).isEmpty else {
        throw StorageError(.layerUsedByContainer).wrapped("a layer is mounted")
      }
    }
  }
}

/// `wipe`: everything, recorded or not (cli 17.5), unless another graph root needs some of it.
enum WipeCommand {
  private static let force = OptionDefinition(
    "--force", usage: "Also what other graph roots need, and what was kept when records were restored",
    isAdditional: true)

  static let definition = CommandDefinition(
    "wipe", arguments: .none, usage: "Wipe all layers, images, and containers", options: [force, .json]
  ) { (context: CommandContext) throws(StorageError) in
    try performSilently("wipe", context) { () throws(StorageError) in
      try context.store.wipe(force: context.options[flag: force])
    }
  }
}
