// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `--metadata` and `--metadata-file` (cli 16.5, 16.6, 19.2).
enum MetadataOptions {
  private static let text = OptionDefinition("--metadata", "-m", kind: .text(), usage: "Metadata")
  private static let file = OptionDefinition("--metadata-file", "-f", kind: .text(), usage: "Metadata File")

  static let all = [text, file]

  /// The whole content of the file if one is named, else the text; nil if neither is given.
  static func value(_ options: OptionValues) throws(StorageError) -> String? {
    guard let path = given(options[text: file]) else { return given(options[text: text]) }
    return String(decoding: try HostFile.contents(of: path), as: UTF8.self)
  }
}

/// `create-image` (cli 16.5).
enum CreateImageCommand {
  private static let name = OptionDefinition("--name", "-n", kind: .list, usage: "Image name")
  private static let id = OptionDefinition("--id", "-i", kind: .text(), usage: "Image ID")
  private static let digest = OptionDefinition("--digest", "-d", kind: .text(), usage: "Image Digest")

  static let definition = CommandDefinition(
    "create-image", "createimage", arguments: .optional, synopsis: "[options [...]] topLayerNameOrID",
    usage: "Create a new image using layers", options: [name, id, digest, .json] + MetadataOptions.all, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let options = context.options
    let image = try context.store.images.create(
      ImageCreation(
        id: given(options[text: id]), names: options[list: name], layer: context.arguments.first.flatMap(given),
        metadata: try MetadataOptions.value(options) ?? "", digest: given(options[text: digest])))
    if context.wantsJSON {
      context.console.printJSON(record: image.record)
    } else {
      context.printCreated(image.id, names: image.record.names)
    }
    return .success
  }
}
