// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `storage-layers`: the layers that the driver knows, recorded or not (cli 13.3).
enum StorageLayersCommand {
  static let definition = CommandDefinition(
    "storage-layers", arguments: .none, synopsis: "[options [...]]", usage: "List storage layers", options: [.json],
    run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    context.printList(try context.store.layers.listInDriver(), whenEmpty: .emptyList)
    return .success
  }
}
