// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageStore

/// Big data items of images (cli 20.1).
enum ImageDataCommands {
  static let list = CommandDefinition(
    "list-image-data", "listimagedata", arguments: .one, synopsis: "[options [...]] imageNameOrID",
    usage: "List data items that are attached to an image", options: [.json]
  ) { (context: CommandContext) throws(StorageError) in
    DataItems.printNames(try item(context).bigDataNames, context)
    return .success
  }

  static let get = CommandDefinition(
    "get-image-data", "getimagedata", arguments: .two, synopsis: "[options [...]] imageNameOrID dataName",
    usage: "Get data that is attached to an image", options: [DataItems.output]
  ) { (context: CommandContext) throws(StorageError) in
    try DataItems.write(try context.store.images.bigData(context.arguments[1], of: item(context).id.rawValue), context)
    return .success
  }

  static let size = CommandDefinition(
    "get-image-data-size", "getimagedatasize", arguments: .two, synopsis: "[options [...]] imageNameOrID dataName",
    usage: "Get size of data that is attached to an image"
  ) { (context: CommandContext) throws(StorageError) in
    let size = try context.store.images.bigDataSize(context.arguments[1], of: item(context).id.rawValue)
    context.console.print("\(size)")
    return .success
  }

  static let digest = CommandDefinition(
    "get-image-data-digest", "getimagedatadigest", arguments: .two, synopsis: "[options [...]] imageNameOrID dataName",
    usage: "Get digest of data that is attached to an image"
  ) { (context: CommandContext) throws(StorageError) in
    let digest = try context.store.images.bigDataDigest(context.arguments[1], of: item(context).id.rawValue)
    context.console.print("\(digest)")
    return .success
  }

  static let set = CommandDefinition(
    "set-image-data", "setimagedata", arguments: .two, synopsis: "[options [...]] imageNameOrID dataName",
    usage: "Set data that is attached to an image (with sometimes wrong digest)", options: [DataItems.input]
  ) { (context: CommandContext) throws(StorageError) in
    let image = try item(context)
    try context.store.images.setBigData(
      context.arguments[1], bytes: try DataItems.read(context), of: image.id.rawValue)
    return .success
  }

  /// The image that the first argument means; looked up before anything else is done.
  private static func item(_ context: CommandContext) throws(StorageError) -> ImageRecord {
    try context.store.images.find(context.arguments[0]).record
  }
}

/// Directories for the data of callers; asking creates them (cli 20.2).
enum ImageDirectoryCommands {
  static let directory = CommandDefinition(
    "get-image-dir", "getimagedir", arguments: .one, synopsis: "[options [...]] imageNameOrID",
    usage: "Find the image's associated data directory"
  ) { (context: CommandContext) throws(StorageError) in
    context.console.print(try context.store.images.directory(of: context.arguments[0]))
    return .success
  }

  static let runDirectory = CommandDefinition(
    "get-image-run-dir", "getimagerundir", arguments: .one, synopsis: "[options [...]] imageNameOrID",
    usage: "Find the image's associated runtime directory"
  ) { (context: CommandContext) throws(StorageError) in
    context.console.print(try context.store.images.runDirectory(of: context.arguments[0]))
    return .success
  }
}
