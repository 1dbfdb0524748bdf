// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `create-container`; an empty argument makes one without image (cli 16.6).
enum CreateContainerCommand {
  private static let name = OptionDefinition("--name", "-n", kind: .list, usage: "Container name")
  private static let volatile = OptionDefinition("--volatile", usage: "Mark as volatile")
  private static let id = OptionDefinition("--id", "-i", kind: .text(), usage: "Container ID")
  private static let dryRun = OptionDefinition(
    "--dry-run", usage: "Only show what would be made and how it would be mounted", isAdditional: true)

  static let definition = CommandDefinition(
    "create-container", "createcontainer", arguments: .one, synopsis: "[options [...]] parentImageNameOrID",
    usage: "Create a new container from an image",
    options: [name, volatile, id, dryRun, .json] + MetadataOptions.all + IDMapOptions.all, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let options = context.options
    let metadata = try MetadataOptions.value(options) ?? ""
    let request = ContainerCreation(
      id: given(options[text: id]), names: options[list: name], image: context.arguments[0], metadata: metadata,
      isVolatile: options[flag: volatile], idMaps: try IDMapOptions.request(options))
    if options[flag: dryRun] {
      show(try context.store.containers.plan(request), context)
      return .success
    }
    let container = try context.store.containers.create(request)
    if context.wantsJSON {
      context.console.printJSON(record: container)
    } else {
      context.printCreated(container.id, names: container.names)
    }
    return .success
  }

  private static func show(_ plan: ContainerPlan, _ context: CommandContext) {
    if context.wantsJSON { return context.console.printJSON(json(plan)) }
    let image = plan.image.map { "image \($0)" } ?? "no image"
    context.console.print("container \(plan.id?.rawValue ?? "with a random ID") of \(image)")
    for step in plan.steps { context.console.print("  " + step) }
    guard let mount = plan.mount else { return context.console.print("the mount depends on a copy still to be made") }
    context.console.print(mount.path)
    for step in mount.steps { context.console.print("  " + step) }
  }

  private static func json(_ plan: ContainerPlan) -> JSONValue {
    func list(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
    var members: [JSONValue.Member] = []
    if let id = plan.id { members.append(.init("id", .string(id.rawValue))) }
    members.append(.init("names", list(plan.names)))
    members.append(.init("image", .string(plan.image?.rawValue ?? "")))
    members.append(.init("layer", .string(plan.layer?.rawValue ?? "")))
    members.append(.init("mapped-copy", .bool(plan.needsMappedCopy)))
    members.append(.init("steps", list(plan.steps)))
    if let mount = plan.mount {
      members.append(.init("mountpoint", .string(mount.path)))
      members.append(.init("mount-steps", list(mount.steps)))
    }
    return .object(members)
  }
}
