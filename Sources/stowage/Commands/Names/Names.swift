// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// Names of layers, images and containers; the first argument is the item, more are ignored (cli 19.1).
enum NamesCommands {
  private static let synopsis = "[options [...]] imageOrContainerNameOrID"

  static let get = CommandDefinition(
    "get-names", "getnames", arguments: .one, synopsis: synopsis,
    usage: "Get layer, image, or container name or names", options: [.json]
  ) { (context: CommandContext) throws(StorageError) in
    context.printList(try context.store.names(of: context.arguments[0]), whenEmpty: .emptyList)
    return .success
  }

  static let add = changing("add", usage: "Add", option: "Name to add") {
    (store, names, item) throws(StorageError) in try store.addNames(names, to: item)
  }
  static let remove = changing("remove", usage: "Remove", option: "Name to remove") {
    (store, names, item) throws(StorageError) in try store.removeNames(names, from: item)
  }
  static let set = changing("set", usage: "Set", option: "New name") {
    (store, names, item) throws(StorageError) in try store.setNames(names, of: item)
  }

  /// A command that changes names and in JSON prints the resulting ones.
  private static func changing(
    _ verb: String, usage: String, option: String,
    _ change: @escaping @Sendable (Store, [String], String) throws(StorageError) -> [String]
  ) -> CommandDefinition {
    let name = OptionDefinition("--name", "-n", kind: .list, usage: option)
    return CommandDefinition(
      "\(verb)-names", "\(verb)names", arguments: .oneOrMore, synopsis: synopsis,
      usage: "\(usage) layer, image, or container name or names", options: [name, .json]
    ) { (context: CommandContext) throws(StorageError) in
      let names = try change(context.store, context.options[list: name], context.arguments[0])
      if context.wantsJSON { context.console.printJSON(strings: names, whenEmpty: .null) }
      return .success
    }
  }
}
