// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `applydiff`: a tar stream onto an existing layer (cli 18.4).
enum ApplyDiffCommand {
  private static let file = OptionDefinition("--file", "-f", kind: .text(), usage: "Read from file instead of stdin")

  static let definition = CommandDefinition(
    "applydiff", "apply-diff", arguments: .one, synopsis: "[options [...]] layerNameOrID [referenceLayerNameOrID]",
    usage: "Apply a diff to a layer", options: [file, SizeOption.definition], isInterruptible: true, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let input = try DiffInput(path: given(context.options[text: file]))
    defer { input.close() }
    try context.store.layers.apply(
      input.layerInput, to: context.arguments[0],
      expecting: ExpectedDiff(limit: try SizeOption.limit(context.options)), isCancelled: Interruption.isRequested)
    return .success
  }
}
