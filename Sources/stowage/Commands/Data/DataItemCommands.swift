// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore
import SystemPackage

/// The commands for big data items (cli 20.1); the kinds of objects differ in words only.
enum DataItemCommands {
  static let layer = Family(
    "layer", article: "a", items: { $0.layers }, argument: "layerNameOrID", itemArguments: "layerID dataName")
  static let image = Family(
    "image", article: "an", items: { $0.images }, argument: "imageNameOrID", setRemark: " (with sometimes wrong digest)"
  )
  static let container = Family(
    "container", article: "an", items: { $0.containers }, argument: "containerNameOrID")

  private static let output = OptionDefinition("--file", "-f", kind: .text(), usage: "Write data to file")
  private static let input = OptionDefinition("--file", "-f", kind: .text(), usage: "Read data from file")

  /// The commands of one kind of object. The object is looked up before anything else is done.
  struct Family<Holder: DataItemHolder>: Sendable {
    let list: CommandDefinition
    let get: CommandDefinition
    let set: CommandDefinition
    /// What further commands are made of.
    fileprivate let words: Words
    fileprivate let items: @Sendable (Store) -> Holder

    fileprivate init(
      _ noun: String, article: String, items: @escaping @Sendable (Store) -> Holder, argument: String,
      itemArguments: String? = nil, setRemark: String = ""
    ) {
      let words = Words(
        noun: noun, owner: "attached to \(article) \(noun)",
        synopsis: "[options [...]] " + (itemArguments ?? argument + " dataName"))
      self.words = words
      self.items = items
      list = CommandDefinition(
        "list-\(noun)-data", "list\(noun)data", arguments: .one, synopsis: "[options [...]] " + argument,
        usage: "List data items that are \(words.owner)", options: [.json]
      ) { (context: CommandContext) throws(StorageError) in
        let keys = try items(context.store).itemKeys(of: context.arguments[0]).keys
        context.printList(keys, whenEmpty: .null)
        return .success
      }
      get = words.command("get", "Get data", options: [output]) {
        (context: CommandContext, key: String) throws(StorageError) in
        let holder = items(context.store)
        let bytes = try holder.bigData(key, of: holder.itemKeys(of: context.arguments[0]).id)
        // Fetched before the file is created (cli 25, W10).
        if let path = given(context.options[text: output]) {
          try HostFile.write(bytes, to: path)
        } else {
          context.console.write(bytes)
        }
      }
      set = words.command("set", "Set data", remark: setRemark, options: [input]) {
        (context: CommandContext, key: String) throws(StorageError) in
        let holder = items(context.store)
        let id = try holder.itemKeys(of: context.arguments[0]).id
        let bytes =
          if let path = given(context.options[text: input]) {
            try HostFile.contents(of: path)
          } else {
            try HostFile.contents(of: FileDescriptor.standardInput, name: "/dev/stdin")
          }
        try holder.setBigData(key, bytes: bytes, of: id)
      }
    }
  }

  fileprivate struct Words: Sendable {
    let noun: String
    let owner: String
    let synopsis: String

    /// A command on one item of one object.
    ///
    /// The alias is the name without dashes.
    func command(
      _ verb: String, suffix: String = "", _ what: String, remark: String = "", options: [OptionDefinition] = [],
      _ act: @escaping @Sendable (CommandContext, String) throws(StorageError) -> Void
    ) -> CommandDefinition {
      let name = "\(verb)-\(noun)-data\(suffix)"
      return CommandDefinition(
        name, name.filter { $0 != "-" }, arguments: .two, synopsis: synopsis,
        usage: "\(what) that is \(owner)\(remark)",
        options: options
      ) { (context: CommandContext) throws(StorageError) in
        try act(context, context.arguments[1])
        return .success
      }
    }
  }
}

extension DataItemCommands.Family where Holder: MeasuredDataItemHolder {
  var size: CommandDefinition {
    let items = items
    return words.command("get", suffix: "-size", "Get size of data") {
      (context: CommandContext, key: String) throws(StorageError) in
      let holder = items(context.store)
      let size = try holder.bigDataSize(key, of: holder.itemKeys(of: context.arguments[0]).id)
      context.console.print("\(size)")
    }
  }

  var digest: CommandDefinition {
    let items = items
    return words.command("get", suffix: "-digest", "Get digest of data") {
      (context: CommandContext, key: String) throws(StorageError) in
      let holder = items(context.store)
      let digest = try holder.bigDataDigest(key, of: holder.itemKeys(of: context.arguments[0]).id)
      context.console.print("\(digest)")
    }
  }
}
