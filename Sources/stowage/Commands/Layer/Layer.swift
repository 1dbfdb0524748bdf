// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `layer`: one block per layer found; those not found only show in the exit status (cli 13.2).
enum LayerCommand {
  static let definition = CommandDefinition(
    "layer", arguments: .oneOrMore, synopsis: "[options [...]] layerNameOrID [...]", usage: "Examine a layer",
    options: [.json], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    context.printFound(context.store.layers.find, record: \.record) { printBlock($0, context.console) }
  }

  private static func printBlock(_ layer: LayerInfo, _ console: Console) {
    let record = layer.record
    console.print("ID: " + record.id.rawValue)
    for map in record.idMaps.uids { console.print("UID mapping: " + text(map)) }
    for map in record.idMaps.gids { console.print("GID mapping: " + text(map)) }
    if let parent = record.parent { console.print("Parent: " + parent.rawValue) }
    for name in record.names { console.print("Name: " + name) }
    if layer.isReadOnly { console.print("Read Only: true") }
  }

  private static func text(_ map: IDMapping) -> String {
    "(container=\(map.containerID), host=\(map.hostID), size=\(map.size))"
  }
}
