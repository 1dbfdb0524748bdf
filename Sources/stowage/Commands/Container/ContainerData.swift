// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageStore

/// Big data items of containers (cli 20.1).
enum ContainerDataCommands {
  static let list = CommandDefinition(
    "list-container-data", "listcontainerdata", arguments: .one, synopsis: "[options [...]] containerNameOrID",
    usage: "List data items that are attached to an container", options: [.json]
  ) { (context: CommandContext) throws(StorageError) in
    DataItems.printNames(try item(context).bigDataNames, context)
    return .success
  }

  static let get = CommandDefinition(
    "get-container-data", "getcontainerdata", arguments: .two, synopsis: "[options [...]] containerNameOrID dataName",
    usage: "Get data that is attached to an container", options: [DataItems.output]
  ) { (context: CommandContext) throws(StorageError) in
    try DataItems.write(
      try context.store.containers.bigData(context.arguments[1], of: item(context).id.rawValue), context)
    return .success
  }

  static let size = CommandDefinition(
    "get-container-data-size", "getcontainerdatasize", arguments: .two,
    synopsis: "[options [...]] containerNameOrID dataName",
    usage: "Get size of data that is attached to an container"
  ) { (context: CommandContext) throws(StorageError) in
    let size = try context.store.containers.bigDataSize(context.arguments[1], of: item(context).id.rawValue)
    context.console.print("\(size)")
    return .success
  }

  static let digest = CommandDefinition(
    "get-container-data-digest", "getcontainerdatadigest", arguments: .two,
    synopsis: "[options [...]] containerNameOrID dataName",
    usage: "Get digest of data that is attached to an container"
  ) { (context: CommandContext) throws(StorageError) in
    let digest = try context.store.containers.bigDataDigest(context.arguments[1], of: item(context).id.rawValue)
    context.console.print("\(digest)")
    return .success
  }

  static let set = CommandDefinition(
    "set-container-data", "setcontainerdata", arguments: .two, synopsis: "[options [...]] containerNameOrID dataName",
    usage: "Set data that is attached to an container", options: [DataItems.input]
  ) { (context: CommandContext) throws(StorageError) in
    let container = try item(context)
    try context.store.containers.setBigData(
      context.arguments[1], bytes: try DataItems.read(context), of: container.id.rawValue)
    return .success
  }

  /// The container that the first argument means; looked up before anything else is done.
  private static func item(_ context: CommandContext) throws(StorageError) -> ContainerRecord {
    try context.store.containers.find(context.arguments[0])
  }
}

/// Directories for the data of callers; asking creates them (cli 20.2).
enum ContainerDirectoryCommands {
  static let directory = CommandDefinition(
    "get-container-dir", "getcontainerdir", arguments: .one, synopsis: "[options [...]] containerNameOrID",
    usage: "Find the container's associated data directory"
  ) { (context: CommandContext) throws(StorageError) in
    context.console.print(try context.store.containers.directory(of: context.arguments[0]))
    return .success
  }

  static let runDirectory = CommandDefinition(
    "get-container-run-dir", "getcontainerrundir", arguments: .one, synopsis: "[options [...]] containerNameOrID",
    usage: "Find the container's associated runtime directory"
  ) { (context: CommandContext) throws(StorageError) in
    context.console.print(try context.store.containers.runDirectory(of: context.arguments[0]))
    return .success
  }
}
