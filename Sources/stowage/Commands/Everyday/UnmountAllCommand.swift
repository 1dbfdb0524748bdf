// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

extension UnmountCommand {
  private static let all = OptionDefinition("--all", "-a", usage: "Unmount all that is mounted")

  /// That of `stowage`: the reference's, and `--all`.
  static let everyday = CommandDefinition(
    "unmount", "umount", arguments: .any, synopsis: "[options [...]] [LayerOrContainerNameOrID [...]]",
    usage: "Unmount an image, layer or container",
    details: """
      With --all everything that is mounted, however often; what a process lives in, as those of a running container do, stays
      unless --force is given, and the status is 2.
      """, options: [force, all, .json]
  ) { (context: CommandContext) throws(StorageError) in
    switch (context.options[flag: all], context.arguments.first) {
    case (true, let extra?): throw StorageError(.usage, "--all takes no names, but there is \(goQuoted(extra))")
    case (false, nil): throw StorageError(.usage, "say what to unmount, or --all for everything")
    case (false, _): return try run(context)
    case (true, nil): return try unmountAll(context)
    }
  }

  private static func unmountAll(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let outcomes = try context.store.unmountAll(force: context.options[flag: force])
    if context.wantsJSON {
      context.console.printJSON(
        .array(
          outcomes.map { outcome in
            .object([
              .init("id", .string(outcome.container?.id.rawValue ?? outcome.layer.rawValue)),
              .init("mountpoint", .string(outcome.path)), .init("error", .string(outcome.error?.plainMessage ?? "")),
            ])
          }))
    } else {
      for outcome in outcomes {
        if let error = outcome.error {
          context.console.printError(error.plainMessage)
        } else {
          let name = outcome.container.map { $0.names.first ?? $0.id.rawValue } ?? outcome.layer.rawValue
          context.console.print("\(printable(name)) mountpoint unmounted")
        }
      }
    }
    let failures = outcomes.compactMap(\.error)
    return failures.isEmpty ? .success : failures.contains { $0.code == .busy } ? .inUse : .failure
  }
}
