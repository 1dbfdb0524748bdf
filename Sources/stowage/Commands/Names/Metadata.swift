// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `metadata`: the caller's text of each item; unknown items show as empty (cli 19.2).
enum MetadataCommand {
  static let quiet = OptionDefinition("--quiet", "-q", usage: "Omit names and IDs")

  static let definition = CommandDefinition(
    "metadata", arguments: .oneOrMore, synopsis: "[LayerOrImageOrContainerNameOrID [...]]",
    usage: "Retrieve layer, image, or container metadata", options: [quiet, .json], run: run)

  @Sendable static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    var found: KeyedValues<String> = [:]
    for argument in context.arguments {
      // Arguments that are not found are passed over (cli 9).
      guard let text = try? context.store.metadata(of: argument) else { continue }
      found[argument] = text.utf8.last == UInt8(ascii: "\n") ? String(Substring(text.utf8.dropLast())) : text
    }
    if context.wantsJSON {
      context.console.printJSON(.object(found.map { .init($0.key, .string($0.value)) }))
    } else {
      let isQuiet = context.options[flag: quiet]
      for argument in context.arguments {
        context.console.print((isQuiet ? "" : argument + ": ") + (found[argument] ?? ""))
      }
    }
    return context.arguments.allSatisfy { found[$0] != nil } ? .success : .failure
  }
}

/// `set-metadata`; an empty text needs an empty file (cli 19.2).
enum SetMetadataCommand {
  static let definition = CommandDefinition(
    "set-metadata", "setmetadata", arguments: .one, synopsis: "[options [...]] layerOrImageOrContainerNameOrID",
    usage: "Set layer, image, or container metadata", options: MetadataOptions.all, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    guard let metadata = try MetadataOptions.value(context.options) else {
      throw StorageError(.usage, "no new metadata provided")
    }
    try context.store.setMetadata(metadata, of: context.arguments[0])
    return .success
  }
}
