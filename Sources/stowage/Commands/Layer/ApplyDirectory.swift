// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `applydiff-using-staging-dir`: a layer of what is in a directory, as a partial pull makes one (cli 18.5).
enum ApplyDirectoryCommand {
  static let definition = CommandDefinition(
    "applydiff-using-staging-dir", arguments: .two, synopsis: "layerNameOrID directory",
    usage: "Apply a diff to a layer using a staging directory",
    details: """
      Makes a layer with the given ID of the content of a directory, or gives it to a layer that is still empty, and records
      it as a partial pull of a zstd:chunked blob does. Needs the pull option enable_partial_images of storage.conf, which
      only counts if no option names a root, driver or driver option. A layer that has content already is not changed.
      """, isInterruptible: true, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    _ = try context.store.layers.putDirectory(
      context.arguments[1], as: context.arguments[0], isCancelled: Interruption.isRequested)
    return .success
  }
}
