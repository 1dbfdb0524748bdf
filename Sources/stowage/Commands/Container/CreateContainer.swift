// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageStore

/// `create-container`; an empty argument makes one without image (cli 16.6).
enum CreateContainerCommand {
  private static let name = OptionDefinition("--name", "-n", kind: .list, usage: "Container name")
  private static let volatile = OptionDefinition("--volatile", usage: "Mark as volatile")
  private static let id = OptionDefinition("--id", "-i", kind: .text(), usage: "Container ID")

  static let definition = CommandDefinition(
    "create-container", "createcontainer", arguments: .one, synopsis: "[options [...]] parentImageNameOrID",
    usage: "Create a new container from an image",
    options: [name, volatile, id, .json] + MetadataOptions.all + IDMapOptions.all, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let options = context.options
    let metadata = try MetadataOptions.value(options) ?? ""
    let container = try context.store.containers.create(
      ContainerCreation(
        id: given(options[text: id]), names: options[list: name], image: context.arguments[0], metadata: metadata,
        isVolatile: options[flag: volatile], idMaps: try IDMapOptions.request(options)))
    if context.wantsJSON {
      context.console.printJSON(record: container)
    } else {
      context.printCreated(container.id, names: container.names)
    }
    return .success
  }
}
