// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// Deletes each argument in turn and reports one result per distinct argument, its last one (cli 17).
private func deleteEach(
  _ context: CommandContext, _ delete: (String) throws(StorageError) -> Void
) -> ExitStatus {
  var problems: KeyedValues<String> = [:]
  for argument in context.arguments {
    do throws(StorageError) {
      try delete(argument)
      problems[argument] = ""
    } catch {
      problems[argument] = error.text(for: context.face)
    }
  }
  if context.wantsJSON {
    context.console.printJSON(.object(problems.map { .init($0.key, .string($0.value)) }))
  } else {
    for argument in withoutRepeats(context.arguments) {
      guard let problem = problems[argument], !problem.isEmpty else { continue }
      context.console.printError("\(argument): \(problem)")
    }
  }
  return problems.allSatisfy { $0.value.isEmpty } ? .success : .failure
}

/// `delete`: without safety checks (cli 17.1).
enum DeleteCommand {
  static let definition = CommandDefinition(
    "delete", arguments: .oneOrMore, synopsis: "[LayerOrImageOrContainerNameOrID [...]]",
    usage: "Delete a layer or image or container, with no safety checks", options: [.json]
  ) { (context: CommandContext) throws(StorageError) in
    deleteEach(context) { (argument) throws(StorageError) in try context.store.unsafeDelete(argument) }
  }
}

/// `delete-layer`: a layer that nothing uses (cli 17.2).
enum DeleteLayerCommand {
  private static let force = OptionDefinition(
    "--force", usage: "Also if layers of other graph roots are built on it", isAdditional: true)

  static let definition = CommandDefinition(
    "delete-layer", "deletelayer", arguments: .oneOrMore, synopsis: "[LayerNameOrID [...]]",
    usage: "Delete a layer, with safety checks", options: [force, .json]
  ) { (context: CommandContext) throws(StorageError) in
    deleteEach(context) { (argument) throws(StorageError) in
      try context.store.layers.delete(argument, force: context.options[flag: force])
    }
  }
}

/// `delete-container` (cli 17.4).
enum DeleteContainerCommand {
  private static let force = OptionDefinition("--force", usage: "Also if it is mounted", isAdditional: true)

  static let definition = CommandDefinition(
    "delete-container", "deletecontainer", arguments: .oneOrMore, synopsis: "[ContainerNameOrID [...]]",
    usage: "Delete a container, with safety checks", options: [force, .json]
  ) { (context: CommandContext) throws(StorageError) in
    deleteEach(context) { (argument) throws(StorageError) in
      try context.store.containers.delete(argument, force: context.options[flag: force])
    }
  }
}
