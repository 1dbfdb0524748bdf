// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// The options that all commands creating a layer share (cli 16.1 and 16.2).
enum LayerCreationOptions {
  static let label = OptionDefinition("--label", "-l", kind: .text(), usage: "Mount Label")
  static let name = OptionDefinition("--name", "-n", kind: .list, usage: "Layer name")
  static let id = OptionDefinition("--id", "-i", kind: .text(), usage: "Layer ID")
  static let readOnly = OptionDefinition("--readonly", "-r", usage: "Mark as read-only")

  /// Those of a layer without record.
  static let driverOnly = [label, id, readOnly, .json] + IDMapOptions.all
  static let all = driverOnly + [name]

  /// What the options and the first argument, the parent, ask for.
  static func creation(_ context: CommandContext, isNamed: Bool = true) throws(StorageError) -> LayerCreation {
    LayerCreation(
      id: given(context.options[text: id]), parent: context.arguments.first.flatMap(given),
      names: isNamed ? context.options[list: name] : [], mountLabel: context.options[text: label],
      isWritable: !context.options[flag: readOnly], idMaps: try IDMapOptions.request(context.options))
  }
}

/// `create-layer` (cli 16.2).
enum CreateLayerCommand {
  static let definition = CommandDefinition(
    "create-layer", "createlayer", arguments: .optional, synopsis: "[options [...]] [parentLayerNameOrID]",
    usage: "Create a new layer", options: LayerCreationOptions.all, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let layer = try context.store.layers.create(try LayerCreationOptions.creation(context))
    context.printCreated(layer)
    return .success
  }
}

/// `create-storage-layer`: in the driver only, without a record (cli 16.4).
enum CreateStorageLayerCommand {
  static let definition = CommandDefinition(
    "create-storage-layer", arguments: .optional, synopsis: "[options [...]] [parentLayerNameOrID]",
    usage: "Create a new layer only in the storage driver", options: LayerCreationOptions.driverOnly, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let id = try context.store.layers.createInDriverOnly(try LayerCreationOptions.creation(context, isNamed: false))
    if context.wantsJSON {
      context.console.printJSON(.string(id))
    } else {
      context.console.print(id)
    }
    return .success
  }
}

extension CommandContext {
  /// Prints a new layer as text or JSON.
  func printCreated(_ layer: LayerInfo) {
    if wantsJSON {
      console.printJSON(record: layer.record)
    } else {
      printCreated(layer.id, names: layer.record.names)
    }
  }
}
