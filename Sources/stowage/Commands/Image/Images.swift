// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// What `images` and `images-by-digest` share (cli 14.1).
private enum ImageList {
  static let quiet = OptionDefinition("--quiet", "-q", usage: "Only print IDs")

  static func print(_ images: [ImageInfo], whenEmpty: Console.EmptyList, _ context: CommandContext) {
    let console = context.console
    if context.wantsJSON {
      console.printJSON(records: images.map(\.record), whenEmpty: whenEmpty)
      return
    }
    let isQuiet = context.options[flag: quiet]
    for image in images {
      console.print(image.id.rawValue)
      if isQuiet { continue }
      for name in image.record.names { console.print("\tname: " + name) }
      for digest in image.digests { console.print("\tdigest: \(digest)") }
      for key in image.record.bigDataNames { console.print("\tdata: " + key) }
    }
  }
}

/// `images`.
enum ImagesCommand {
  static let definition = CommandDefinition(
    "images", arguments: .none, synopsis: "[options [...]]", usage: "List images", options: [.json, ImageList.quiet],
    run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    ImageList.print(try context.store.images.list(), whenEmpty: .null, context)
    return .success
  }
}

/// `images-by-digest`: the argument is checked before the store is asked (cli 14.3).
enum ImagesByDigestCommand {
  static let definition = CommandDefinition(
    "images-by-digest", arguments: .one, synopsis: "[options [...]] DIGEST", usage: "List images by digest",
    options: [.json, ImageList.quiet], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let digest: Digest
    do throws(DigestError) {
      digest = try Digest(parsing: context.arguments[0])
    } catch {
      throw StorageError(.invalidDigest, error.description)
    }
    ImageList.print(try context.store.images.byDigest(digest.description), whenEmpty: .emptyList, context)
    return .success
  }
}
