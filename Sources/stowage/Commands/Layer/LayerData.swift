// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageStore

/// Big data items of layers (cli 20.1).
enum LayerDataCommands {
  static let list = CommandDefinition(
    "list-layer-data", "listlayerdata", arguments: .one, synopsis: "[options [...]] layerNameOrID",
    usage: "List data items that are attached to a layer", options: [.json]
  ) { (context: CommandContext) throws(StorageError) in
    DataItems.printNames(try item(context).bigDataNames, context)
    return .success
  }

  static let get = CommandDefinition(
    "get-layer-data", "getlayerdata", arguments: .two, synopsis: "[options [...]] layerID dataName",
    usage: "Get data that is attached to a layer", options: [DataItems.output]
  ) { (context: CommandContext) throws(StorageError) in
    try DataItems.write(try context.store.layers.bigData(context.arguments[1], of: item(context).id.rawValue), context)
    return .success
  }

  static let set = CommandDefinition(
    "set-layer-data", "setlayerdata", arguments: .two, synopsis: "[options [...]] layerID dataName",
    usage: "Set data that is attached to a layer", options: [DataItems.input]
  ) { (context: CommandContext) throws(StorageError) in
    let layer = try item(context)
    try context.store.layers.setBigData(
      context.arguments[1], bytes: try DataItems.read(context), of: layer.id.rawValue)
    return .success
  }

  /// The layer that the first argument means; looked up before anything else is done.
  private static func item(_ context: CommandContext) throws(StorageError) -> LayerRecord {
    try context.store.layers.find(context.arguments[0]).record
  }
}
