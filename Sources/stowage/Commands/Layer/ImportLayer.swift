// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `import-layer`: a new layer from a tar stream (cli 16.3).
enum ImportLayerCommand {
  private static let file = OptionDefinition("--file", "-f", kind: .text(), usage: "Read from file instead of stdin")

  static let definition = CommandDefinition(
    "import-layer", "importlayer", arguments: .optional, synopsis: "[options [...]] [parentLayerNameOrID]",
    usage: "Import a new layer", options: LayerCreationOptions.all + [file, SizeOption.definition],
    isInterruptible: true, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let input = try DiffInput(path: given(context.options[text: file]))
    defer { input.close() }
    let layer = try context.store.layers.put(
      try LayerCreationOptions.creation(context), diff: input.layerInput,
      expecting: ExpectedDiff(limit: try SizeOption.limit(context.options)), isCancelled: Interruption.isRequested)
    context.printCreated(layer.layer)
    return .success
  }
}
