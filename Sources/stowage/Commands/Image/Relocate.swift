// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `relocate`: images and their layers from the graph root into the image store, or back, while containers go on.
enum RelocateCommand {
  private static let all = OptionDefinition("--all", usage: "All images of the other place")
  private static let target = OptionDefinition(
    "--to", kind: .text(), usage: "Where to: image-store or graph-root", values: ["image-store", "graph-root"])
  private static let dryRun = OptionDefinition("--dry-run", usage: "Only show what would be done")
  private static let quiet = OptionDefinition("--quiet", "-q", usage: "Show no progress")

  static let definition = CommandDefinition(
    "relocate", arguments: .any, synopsis: "[options [...]] [ImageNameOrID [...]]",
    usage: "Move images between graph root and image store",
    details: """
      Moves images, with the layers that they need, from the graph root into the image store (--to image-store) or back
      (--to graph-root). Containers that use them go on running. A layer that something else in the old place needs stays
      there, too; the result says so.

      A move that is interrupted or killed leaves each image whole, in one of the places; the same command takes it up again.
      """, options: [all, target, dryRun, quiet, .json],
    isInterruptible: true, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let options = context.options
    guard let to = RelocationTarget(rawValue: options[text: target]) else {
      let given = options[text: target]
      let what = given.isEmpty ? "say where to" : "\(goQuoted(given)) is no place"
      throw StorageError(.usage, "\(what): --to image-store or --to graph-root")
    }
    if options[flag: all] == !context.arguments.isEmpty {
      throw StorageError(.usage, "name the images to move, or give --all")
    }
    let isDryRun = options[flag: dryRun]
    let display = options[flag: quiet] || isDryRun ? nil : ProgressDisplay()
    let relocation: Relocation
    do throws(StorageError) {
      relocation = try context.store.images.relocate(
        options[flag: all] ? nil : context.arguments, to: to, isDryRun: isDryRun,
        progress: { display?.update(item($0)) }, isCancelled: Interruption.isRequested)
    } catch {
      display?.finish()
      throw error
    }
    display?.finish()
    if context.wantsJSON {
      context.console.printJSON(relocation.json)
    } else {
      context.console.write(text(relocation, isDryRun: isDryRun))
    }
    return .success
  }

  private static func item(_ progress: Relocation.Progress) -> ProgressDisplay.Item {
    ProgressDisplay.Item(
      order: [progress.index],
      label: "Layer \(progress.index + 1)/\(progress.count) \(progress.layer.rawValue.prefix(12))",
      done: progress.isDone ? max(progress.size, 0) : 0, total: max(progress.size, 0),
      outcome: progress.isDone ? "done" : nil)
  }

  private static func text(_ relocation: Relocation, isDryRun: Bool) -> String {
    var text = ""
    let verb = isDryRun ? "would move" : "moved"
    for image in relocation.images {
      let name = image.names.first ?? image.id.rawValue
      text += "\(image.isMoved ? verb : "already there"): image \(name)\n"
    }
    for layer in relocation.layers {
      let size = layer.size < 0 ? "" : " (\(bytesText(layer.size)))"
      text += "\(layer.isCopied ? verb : "already there"): layer \(layer.id)\(size)\n"
      if let reason = layer.remains { text += "  stays in the old place, too: \(reason)\n" }
    }
    return text.isEmpty ? "nothing to move\n" : text
  }
}

extension Relocation {
  fileprivate var json: JSONValue {
    let images = images.map { image -> JSONValue in
      .object([
        .init("id", .string(image.id.rawValue)), .init("names", .array(image.names.map { .string($0) })),
        .init("moved", .bool(image.isMoved)),
      ])
    }
    let layers = layers.map { layer -> JSONValue in
      var members: [JSONValue.Member] = [
        .init("id", .string(layer.id.rawValue)), .init("size", .integer(layer.size)),
        .init("copied", .bool(layer.isCopied)),
      ]
      if let reason = layer.remains { members.append(.init("remains", .string(reason))) }
      return .object(members)
    }
    return .object([
      .init("to", .string(target.rawValue)), .init("images", .array(images)), .init("layers", .array(layers)),
    ])
  }
}
