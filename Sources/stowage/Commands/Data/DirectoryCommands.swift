// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `get-image-dir` and its like: directories for the data of callers; asking creates them (cli 20.2).
enum DirectoryCommands {
  static let image = command("image", "dir", "data") { (store, image) throws(StorageError) in
    try store.images.directory(of: image)
  }
  static let imageRun = command("image", "run-dir", "runtime") { (store, image) throws(StorageError) in
    try store.images.runDirectory(of: image)
  }
  static let container = command("container", "dir", "data") { (store, container) throws(StorageError) in
    try store.containers.directory(of: container)
  }
  static let containerRun = command("container", "run-dir", "runtime") { (store, container) throws(StorageError) in
    try store.containers.runDirectory(of: container)
  }

  private static func command(
    _ noun: String, _ suffix: String, _ adjective: String,
    _ directory: @escaping @Sendable (Store, String) throws(StorageError) -> String
  ) -> CommandDefinition {
    let name = "get-\(noun)-\(suffix)"
    return CommandDefinition(
      name, name.filter { $0 != "-" }, arguments: .one, synopsis: "[options [...]] \(noun)NameOrID",
      usage: "Find the \(noun)'s associated \(adjective) directory"
    ) { (context: CommandContext) throws(StorageError) in
      context.console.print(try directory(context.store, context.arguments[0]))
      return .success
    }
  }
}
