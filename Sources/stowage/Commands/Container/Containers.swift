// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `containers`: persistent ones first (cli 15.1).
enum ContainersCommand {
  static let definition = CommandDefinition(
    "containers", arguments: .none, synopsis: "[options [...]]", usage: "List containers", options: [.json], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let containers = try context.store.containers.list()
    if context.wantsJSON {
      context.console.printJSON(records: containers, whenEmpty: .emptyList)
      return .success
    }
    for container in containers {
      context.console.print(container.id.rawValue)
      for name in container.names { context.console.print("\tname: " + name) }
      for key in container.bigDataNames { context.console.print("\tdata: " + key) }
    }
    return .success
  }
}

/// `container`: one block per container found (cli 15.2).
enum ContainerCommand {
  static let definition = CommandDefinition(
    "container", arguments: .oneOrMore, synopsis: "[options [...]] containerNameOrID [...]",
    usage: "Examine a container", options: [.json], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let images = try context.store.images.list()
    return context.printFound(context.store.containers.find, record: \.self) { container in
      let image = images.first { $0.id == container.image }
      printBlock(container, imageNames: image?.record.names ?? [], context)
    }
  }

  private static func printBlock(_ container: ContainerRecord, imageNames: [String], _ context: CommandContext) {
    let console = context.console
    console.print("ID: " + container.id.rawValue)
    for name in container.names { console.print("Name: " + name) }
    console.print("Image: " + (container.image?.rawValue ?? ""))
    for name in imageNames { console.print("Image name: " + name) }
    context.printSize { () throws(StorageError) in try context.store.containers.size(of: container.id.rawValue) }
    console.print("Layer: " + container.layer.rawValue)
    for key in container.bigDataNames { console.print("Data: " + key) }
  }
}
