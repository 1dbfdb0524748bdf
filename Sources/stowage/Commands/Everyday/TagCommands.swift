// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `tag` and `untag`: names of images.
enum TagCommands {
  static let tag = CommandDefinition(
    "tag", arguments: .twoOrMore, synopsis: "ImageNameOrID NewName [...]", usage: "Give an image more names",
    details: """
      New names without a registry get "localhost/" in front, those without a tag ":latest" behind. A name that another image has
      moves to this one, which is told.
      """, completes: [.shortImages], options: [.quiet]
  ) { (context: CommandContext) throws(StorageError) in
    let image = try context.store.imageID(named: context.arguments[0])
    let moves = try context.store.tag(image, Array(context.arguments.dropFirst()))
    for move in moves where !context.options[flag: .quiet] {
      let rest =
        move.isLast ? ", which has no name any more: \"stowage prune\" deletes it" : ""
      context.console.printError("\(move.name) moved from image \(shortID(move.from.rawValue))\(rest)")
    }
    return .success
  }

  private static let all = OptionDefinition("--all", "-a", usage: "Take off all names")

  static let untag = CommandDefinition(
    "untag", arguments: .oneOrMore, synopsis: "[options [...]] ImageNameOrID [Name [...]]",
    usage: "Take names off an image",
    details: """
      Names are completed as "tag" does. The image must have all of them, else nothing changes. Without names --all is needed, so
      that an image does not lose all its names by mistake.
      """, completes: [.shortImages], options: [all]
  ) { (context: CommandContext) throws(StorageError) in
    let names = Array(context.arguments.dropFirst())
    let takesAll = context.options[flag: all]
    if takesAll, !names.isEmpty { throw StorageError(.usage, "--all takes no names, but there is \(names[0])") }
    if !takesAll, names.isEmpty {
      throw StorageError(.usage, "say which names to take off the image, or --all for all of them")
    }
    let image = try context.store.imageID(named: context.arguments[0])
    if takesAll { try context.store.untagAll(image) } else { try context.store.untag(image, names) }
    return .success
  }
}
