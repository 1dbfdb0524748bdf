// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `layer-parent-owners` and `container-parent-owners` (cli 13.4). Under the reference's name what is not found only shows
/// in the exit status.
enum ParentOwnersCommands {
  static let container = CommandDefinition(
    "container-parent-owners", arguments: .oneOrMore, synopsis: "[options [...]] containerNameOrID [...]",
    usage: "Compute the set of unmapped parent UIDs and GIDs of the container", options: [.json]
  ) { (context: CommandContext) throws(StorageError) -> ExitStatus in
    try run(context, failure: "ContainerParentOwner", omitsEmpty: false) { (argument) throws(StorageError) in
      // Arguments that are not found are passed over.
      guard let container = try? context.store.containers.find(argument) else { return nil }
      return (container.id.rawValue, try context.store.containers.parentOwners(of: container.id.rawValue))
    }
  }

  static let layer = CommandDefinition(
    "layer-parent-owners", arguments: .oneOrMore, synopsis: "[options [...]] layerNameOrID [...]",
    usage: "Compute the set of unmapped parent UIDs and GIDs of the layer", options: [.json]
  ) { (context: CommandContext) throws(StorageError) -> ExitStatus in
    try run(context, failure: "LayerParentOwner", omitsEmpty: true) { (argument) throws(StorageError) in
      // Arguments that are not found are passed over.
      guard let layer = try? context.store.layers.find(argument) else { return nil }
      return (layer.id.rawValue, try context.store.layers.parentOwners(of: layer.id.rawValue))
    }
  }

  private typealias Found = (id: String, owners: ParentOwners)

  private static func run(
    _ context: CommandContext, failure: String, omitsEmpty: Bool,
    _ find: (_ argument: String) throws(StorageError) -> Found?
  ) throws(StorageError) -> ExitStatus {
    var status = ExitStatus.success
    for argument in context.arguments {
      let found: Found?
      do throws(StorageError) { found = try find(argument) } catch { throw error.wrapped(failure) }
      guard let found else {
        status = .failure
        if context.face == .stowage { context.console.printError("\(argument): there is none of that name or ID") }
        continue
      }
      if context.wantsJSON {
        printJSON(found, context.console)
      } else {
        context.console.print("ID: " + found.id)
        for (label, ids) in found.owners.lists where !(ids.isEmpty && omitsEmpty) {
          context.console.print("\(label): [\(ids.map(String.init).joined(separator: " "))]")
        }
      }
    }
    return status
  }

  private static func printJSON(_ found: Found, _ console: Console) {
    console.printJSON { writer in
      writer.beginObject()
      writer.name("ID")
      writer.string(found.id)
      for (label, ids) in found.owners.lists {
        writer.name(label)
        if ids.isEmpty {
          writer.null()
        } else {
          writer.beginArray()
          for id in ids { writer.integer(id) }
          writer.endArray()
        }
      }
      writer.endObject()
    }
  }
}

extension ParentOwners {
  fileprivate var lists: [(label: String, ids: [Int])] { [("UIDs", uids), ("GIDs", gids)] }
}
