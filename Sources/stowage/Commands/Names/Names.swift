// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageStore

/// Names of layers, images and containers; the first argument is the item, more are ignored (cli 19.1).
enum NamesCommands {
  private static let toAdd = OptionDefinition("--name", "-n", kind: .list, usage: "Name to add")
  private static let toRemove = OptionDefinition("--name", "-n", kind: .list, usage: "Name to remove")
  private static let toSet = OptionDefinition("--name", "-n", kind: .list, usage: "New name")
  private static let synopsis = "[options [...]] imageOrContainerNameOrID"

  static let get = CommandDefinition(
    "get-names", "getnames", arguments: .one, synopsis: synopsis,
    usage: "Get layer, image, or container name or names", options: [.json]
  ) { (context: CommandContext) throws(StorageError) in
    let names = try context.store.names(of: context.arguments[0])
    if context.wantsJSON {
      context.console.printJSON(strings: names, whenEmpty: .emptyList)
    } else {
      for name in names { context.console.print(name) }
    }
    return .success
  }

  static let add = CommandDefinition(
    "add-names", "addnames", arguments: .oneOrMore, synopsis: synopsis,
    usage: "Add layer, image, or container name or names", options: [toAdd, .json]
  ) { (context: CommandContext) throws(StorageError) in
    printResult(try context.store.addNames(context.options[list: toAdd], to: context.arguments[0]), context)
  }

  static let remove = CommandDefinition(
    "remove-names", "removenames", arguments: .oneOrMore, synopsis: synopsis,
    usage: "Remove layer, image, or container name or names", options: [toRemove, .json]
  ) { (context: CommandContext) throws(StorageError) in
    printResult(try context.store.removeNames(context.options[list: toRemove], from: context.arguments[0]), context)
  }

  static let set = CommandDefinition(
    "set-names", "setnames", arguments: .oneOrMore, synopsis: synopsis,
    usage: "Set layer, image, or container name or names", options: [toSet, .json]
  ) { (context: CommandContext) throws(StorageError) in
    printResult(try context.store.setNames(context.options[list: toSet], of: context.arguments[0]), context)
  }

  private static func printResult(_ names: [String], _ context: CommandContext) -> ExitStatus {
    if context.wantsJSON { context.console.printJSON(strings: names, whenEmpty: .null) }
    return .success
  }
}
