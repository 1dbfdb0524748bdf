// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `exists`: the value says whether anything has the name; the kind options only count for the status (cli 19.3).
enum ExistsCommand {
  private static let quiet = OptionDefinition("--quiet", "-q", usage: "Don't print names")
  private static let layer = OptionDefinition("--layer", "-l", usage: "Only succeed if the match is a layer")
  private static let image = OptionDefinition("--image", "-i", usage: "Only succeed if the match is an image")
  private static let container = OptionDefinition(
    "--container", "-c", usage: "Only succeed if the match is a container")

  static let definition = CommandDefinition(
    "exists", arguments: .oneOrMore, synopsis: "[LayerOrImageOrContainerNameOrID [...]]",
    usage: "Check if a layer or image or container exists", options: [quiet, layer, image, container, .json], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let arguments = withoutRepeats(context.arguments)
    var found: KeyedValues<Bool> = [:]
    for argument in arguments { found[argument] = context.store.exists(argument) }
    if context.wantsJSON {
      context.console.printJSON(.object(found.map { .init($0.key, .bool($0.value)) }))
    } else if !context.options[flag: quiet] {
      for argument in arguments { context.console.print("\(argument): \(found[argument] ?? false)") }
    }
    return arguments.allSatisfy { found[$0] == true && isOfWantedKind($0, context) } ? .success : .failure
  }

  private static func isOfWantedKind(_ argument: String, _ context: CommandContext) -> Bool {
    let (store, options) = (context.store, context.options)
    // Whatever the reason, it is not found: that is the answer of this command.
    if options[flag: layer], (try? store.layers.find(argument)) == nil { return false }
    if options[flag: image], (try? store.images.find(argument)) == nil { return false }
    if options[flag: container], (try? store.containers.find(argument)) == nil { return false }
    return true
  }
}
