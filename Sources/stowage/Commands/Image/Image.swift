// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `image`: one block per image found (cli 14.2).
enum ImageCommand {
  static let definition = CommandDefinition(
    "image", arguments: .oneOrMore, synopsis: "[options [...]] imageNameOrID [...]", usage: "Examine an image",
    options: [.json], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    context.printFound(context.store.images.find, record: \.record) { printBlock($0, context) }
  }

  private static func printBlock(_ image: ImageInfo, _ context: CommandContext) {
    let console = context.console
    let record = image.record
    console.print("ID: " + record.id.rawValue)
    for name in record.names { console.print("Name: " + name) }
    console.print("Top Layer: " + (record.layer?.rawValue ?? ""))
    for layer in record.mappedLayers { console.print("Top Layer: " + layer.rawValue) }
    for digest in image.digests { console.print("Digest: \(digest)") }
    for key in record.bigDataNames { console.print("Data: " + key) }
    context.printSize { () throws(StorageError) in try context.store.images.size(of: record.id.rawValue) }
    if image.isReadOnly { console.print("Read Only: true") }
  }
}

extension CommandContext {
  /// `Size: N`, or why it is not known.
  func printSize(_ size: () throws(StorageError) -> Int64) {
    do throws(StorageError) {
      console.print("Size: \(try size())")
    } catch {
      console.print("Size unknown: \(error.message)")
    }
  }
}
