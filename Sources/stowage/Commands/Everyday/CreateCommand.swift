// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `create`: a container from an image.
enum CreateCommand {
  static let definition = CommandDefinition(
    "create", arguments: .oneOrTwo, synopsis: "ImageNameOrID [ContainerName]",
    usage: "Make a container from an image, and print its ID",
    details: """
      The image may be given by a short name or the beginning of its ID. The container is storage only: "mount" shows its files,
      and nothing runs it. "create-container" has more options.
      """, completes: [.shortImages], options: [.json]
  ) { (context: CommandContext) throws(StorageError) in
    let image = try context.store.imageID(named: context.arguments[0])
    let name = context.arguments.count > 1 ? context.arguments[1] : nil
    if let name { try check(name, context.store) }
    let container = try context.store.containers.create(
      ContainerCreation(names: name.map { [$0] } ?? [], image: image.rawValue))
    if context.wantsJSON {
      context.console.printJSON(record: container)
    } else {
      context.console.print(container.id.rawValue)
    }
    return .success
  }

  /// Says in time, and with the owner, what the store would refuse later; that looks again.
  private static func check(_ name: String, _ store: Store) throws(StorageError) {
    func isWord(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
    guard let first = name.utf8.first, isWord(first), name.utf8.allSatisfy({ isWord($0) || "_.-".utf8.contains($0) })
    else {
      throw StorageError(
        .usage,
        "container name \(goQuoted(name)): must begin with a letter or digit, and have only letters, digits, _, . and -"
      )
    }
    if let owner = try store.containers.list().first(where: { $0.names.contains(name) }) {
      throw StorageError(
        .duplicateName,
        "the name \(goQuoted(name)) is taken by container \(owner.id.rawValue.prefix(12)): choose another one, or remove that "
          + "with \"stowage rm \(name)\"", subject: name)
    }
  }
}

extension Store {
  /// The image that a person means.
  func imageID(named text: String) throws(StorageError) -> ImageID {
    try snapshot(layers: false, containers: false).image(named: text, searched: configuredNames).id
  }
}
