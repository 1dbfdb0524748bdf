// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// The verbs of names and metadata as `stowage` has them: what changes nothing, or takes from others, is refused or told.
extension NamesCommands {
  static let everydayAdd = everyday("add", usage: "Add", option: "Name to add") {
    (context, names, item) throws(StorageError) in
    let owners = try context.store.owners(of: names, otherThan: item)
    let result = try context.store.addNames(names, to: item)
    owners.tell(context.console)
    return result
  }

  static let everydaySet = everyday("set", usage: "Set", option: "New name", needsNames: false) {
    (context, names, item) throws(StorageError) in
    let owners = try context.store.owners(of: names, otherThan: item)
    let result = try context.store.setNames(names, of: item)
    owners.tell(context.console)
    return result
  }

  static let everydayRemove = everyday("remove", usage: "Remove", option: "Name to remove") {
    (context, names, item) throws(StorageError) in
    let known = try context.store.names(of: item)
    let missing = names.filter { name in !known.contains { $0.hasSameBytes(as: name) } }
    if !missing.isEmpty {
      let its = known.isEmpty ? "it has none" : "its names are \(known.joined(separator: ", "))"
      throw StorageError(
        .invalidNameOperation, "\(item) does not have the name \(missing.joined(separator: ", ")): \(its)",
        subject: item)
    }
    return try context.store.removeNames(names, from: item)
  }

  private static func everyday(
    _ verb: String, usage: String, option: String, needsNames: Bool = true,
    _ change: @escaping @Sendable (CommandContext, [String], String) throws(StorageError) -> [String]
  ) -> CommandDefinition {
    let name = OptionDefinition("--name", "-n", kind: .list, usage: option)
    return CommandDefinition(
      "\(verb)-names", "\(verb)names", arguments: .one, synopsis: "[options [...]] LayerOrImageOrContainerNameOrID",
      usage: "\(usage) layer, image, or container name or names", options: [name, .json]
    ) { (context: CommandContext) throws(StorageError) in
      let names = context.options[list: name]
      if needsNames, names.isEmpty { throw StorageError(.usage, "\(verb)-names needs names: give each with --name") }
      for name in names where name.isEmpty { throw StorageError(.usage, "a name is empty") }
      if verb != "remove", try context.store.namesImage(context.arguments[0]) {
        for name in names { try ImageOperations.requireName(name) }
      }
      let result = try change(context, names, context.arguments[0])
      if context.wantsJSON { context.console.printJSON(strings: result, whenEmpty: .null) }
      return .success
    }
  }
}

/// Who had names that an object gets.
struct NameOwners {
  fileprivate let owners: [(name: String, kind: String, id: String)]

  /// Says for each name where it came from.
  func tell(_ console: Console) {
    for owner in owners {
      console.printError("\(printable(owner.name)) moved from \(owner.kind) \(shortID(owner.id))")
    }
  }
}

extension Store {
  /// Whether an image is what the verbs of names change.
  fileprivate func namesImage(_ item: String) throws(StorageError) -> Bool {
    let id = try lookup(item)
    let snapshot = try snapshot(containers: false)
    return !snapshot.layers.contains { $0.id.rawValue == id } && snapshot.images.contains { $0.id.rawValue == id }
  }

  /// The objects of the same kind that have some names, as of now.
  fileprivate func owners(of names: [String], otherThan item: String) throws(StorageError) -> NameOwners {
    let snapshot = try snapshot()
    let id = try lookup(item)
    var found: [(name: String, kind: String, id: String)] = []
    let layers = snapshot.layers.map { ($0.id.rawValue, $0.record.names) }
    let images = snapshot.images.map { ($0.id.rawValue, $0.record.names) }
    let containers = snapshot.containers.map { ($0.id.rawValue, $0.names) }
    // Looked for in the order in which names are changed.
    for (kind, objects) in [("layer", layers), ("image", images), ("container", containers)]
    where objects.contains(where: { $0.0 == id }) {
      for name in names {
        for (other, its) in objects where other != id && its.contains(where: { $0.hasSameBytes(as: name) }) {
          found.append((name, kind, other))
        }
      }
      break
    }
    return NameOwners(owners: found)
  }
}

extension MetadataCommand {
  /// That of `stowage`: what is not found is told, not shown as empty.
  static let everyday = CommandDefinition(
    "metadata", arguments: .oneOrMore, synopsis: "[LayerOrImageOrContainerNameOrID [...]]",
    usage: "Retrieve layer, image, or container metadata", options: [quiet, .json]
  ) { (context: CommandContext) throws(StorageError) in
    let status = try run(context)
    if status == .success { return status }
    for argument in withoutRepeats(context.arguments) {
      // Each failure is told; here it is the answer.
      do throws(StorageError) { _ = try context.store.metadata(of: argument) } catch {
        context.console.printError(
          "\(argument): \(error.code == .notAnID ? "no layer, image or container has this name or ID" : error.plainMessage)"
        )
      }
    }
    return status
  }
}
