// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `changes`: what a layer adds, modifies and deletes (cli 18.1).
enum ChangesCommand {
  static let definition = CommandDefinition(
    "changes", arguments: .oneOrTwo, synopsis: "[options [...]] layerNameOrID [referenceLayerNameOrID]",
    usage: "Compare two layers", completes: [.layers, .containers, .shortImages], options: [.json], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let changes = try context.store.layers.changes(
      of: try context.layer(context.arguments[0]), from: try context.referenceLayer())
    if context.wantsJSON {
      context.console.printJSON(list: changes, whenEmpty: .null) { writer, change in
        writer.beginObject()
        writer.name("Path")
        writer.string(bytes: change.path)
        writer.name("Kind")
        writer.integer(change.kind.rawValue)
        writer.endObject()
      }
    } else {
      for change in changes { context.console.print("\(word(change.kind)) \(goQuoted(bytes: change.path))") }
    }
    return .success
  }

  private static func word(_ kind: LayerChange.Kind) -> String {
    switch kind {
    case .modify: "Modify"
    case .add: "Add"
    case .delete: "Delete"
    }
  }
}

/// `diffsize`: bytes that a layer adds to another one (cli 18.2).
enum DiffSizeCommand {
  static let definition = CommandDefinition(
    "diffsize", "diff-size", arguments: .oneOrTwo, synopsis: "[options [...]] layerNameOrID [referenceLayerNameOrID]",
    usage: "Compare two layers", completes: [.layers, .containers, .shortImages], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let size = try context.store.layers.diffSize(
      of: try context.layer(context.arguments[0]), from: try context.referenceLayer())
    context.console.print("\(size)")
    return .success
  }
}

extension CommandContext {
  /// The layer to compare with, nil for the parent. Unlike in the reference an unknown one is an error (cli 25, W5).
  func referenceLayer() throws(StorageError) -> String? {
    guard arguments.count > 1 else { return nil }
    _ = try store.layers.find(try layer(arguments[0]))
    return try store.layers.find(try layer(arguments[1])).id.rawValue
  }
}
