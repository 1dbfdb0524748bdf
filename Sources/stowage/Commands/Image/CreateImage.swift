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
    usage: "Create a new image using layers", options: [name, id, digest, .json] + MetadataOptions.all
  ) { (context: CommandContext) throws(StorageError) in
    _ = try create(context)
    return .success
  }

  /// That of `stowage`: names must be names of images, and what Podman will stumble over is told.
  static let everyday = CommandDefinition(
    "create-image", "createimage", arguments: .optional, synopsis: "[options [...]] topLayerNameOrID",
    usage: "Create an image record for layers",
    details: """
      The image has no manifest and no configuration: as long as it has no manifest, Podman, Buildah and CRI-O cannot list images.
      "set-image-data IMAGE manifest --file FILE" gives it one; "load" makes whole images.
      """, options: [name, id, digest, .json] + MetadataOptions.all
  ) { (context: CommandContext) throws(StorageError) in
    for name in context.options[list: name] { try ImageOperations.requireName(name) }
    let image = try create(context)
    context.console.printError("note: \(image.withoutManifest)")
    return .success
  }

  private static func create(_ context: CommandContext) throws(StorageError) -> ImageInfo {
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
    return image
  }
}

extension ImageInfo {
  /// What is to be done about an image that has no manifest.
  var withoutManifest: String {
    let known = record.names.isEmpty ? "" : " (\(record.names.prefix(3).joined(separator: ", ")))"
    let id = id.rawValue.utf8.count == 64 ? String(id.rawValue.prefix(12)) : id.rawValue
    return
      "image \(id)\(known) has no manifest, and until it has one Podman, Buildah and CRI-O cannot list images: give it one with "
      + "\"set-image-data\", or remove it with \"rm\""
  }
}
