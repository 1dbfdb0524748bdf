// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `delete-image`: an image and the layers that only it used, whose list goes to standard error (cli 17.3).
enum DeleteImageCommand {
  private static let test = OptionDefinition("--test", "-t", usage: "Only test removal")

  private static let force = OptionDefinition(
    "--force", usage: "Also if containers of other graph roots need it", isAdditional: true)

  static let definition = CommandDefinition(
    "delete-image", "deleteimage", arguments: .oneOrMore, synopsis: "[ImageNameOrID [...]]",
    usage: "Delete an image, with safety checks", options: [test, force, .json], run: run)

  private struct Outcome: Hashable {
    var layers: [LayerID] = []
    var problem = ""

    var json: JSONValue {
      var members: [JSONValue.Member] = []
      if !layers.isEmpty { members.append(.init("deleted-layers", .array(layers.map { .string($0.rawValue) }))) }
      if !problem.isEmpty { members.append(.init("error", .string(problem))) }
      return .object(members)
    }
  }

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    var outcomes: KeyedValues<Outcome> = [:]
    for argument in context.arguments {
      do throws(StorageError) {
        let layers = try context.store.images.delete(
          argument, commit: !context.options[flag: test], force: context.options[flag: force])
        outcomes[argument] = Outcome(layers: layers)
      } catch {
        outcomes[argument] = Outcome(problem: error.text(for: context.face))
      }
    }
    if context.wantsJSON {
      context.console.printJSON(.object(outcomes.map { .init($0.key, $0.value.json) }))
    } else {
      for argument in withoutRepeats(context.arguments) {
        guard let outcome = outcomes[argument] else { continue }
        for layer in outcome.layers { context.console.printError("\(argument): \(layer.rawValue)") }
        if !outcome.problem.isEmpty { context.console.printError("\(argument): \(outcome.problem)") }
      }
    }
    return outcomes.allSatisfy { $0.value.problem.isEmpty } ? .success : .failure
  }
}
