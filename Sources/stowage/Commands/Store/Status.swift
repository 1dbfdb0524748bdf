// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// Prints pairs: text to standard error, JSON to standard output (cli 8).
private func printPairs(_ pairs: [(String, String)], _ context: CommandContext) {
  if context.wantsJSON {
    context.console.printJSON(.array(pairs.map { .array([.string($0.0), .string($0.1)]) }))
  } else {
    for (key, value) in pairs { context.console.printError("\(key): \(value)") }
  }
}

/// `status`: the store's roots and what its driver says (cli 22.1).
enum StatusCommand {
  static let definition = CommandDefinition(
    "status", arguments: .none, usage: "Check on graph driver status", options: [.json]
  ) { (context: CommandContext) throws(StorageError) in
    do throws(StorageError) {
      let store = context.store
      let own = [
        ("Root", store.graphRoot), ("Run Root", store.runRoot), ("Driver Name", store.driverName),
        ("Driver Options", "[\(store.driverOptions.joined(separator: " "))]"),
      ]
      printPairs(own + (try store.status()), context)
      return .success
    } catch {
      throw error.wrapped("status")
    }
  }
}

/// `version` (cli 22.2).
enum VersionCommand {
  /// That of `stowage`, which opens no store for it.
  static let everyday = CommandDefinition(
    "version", arguments: .none, usage: "Show the versions of Stowage and of the format of its stores", options: [.json]
  ) { (options: OptionValues, _: [String], console: Console) throws(StorageError) in
    printVersion(console, asJSON: options[flag: .json])
    return .success
  }

  static func printVersion(_ console: Console, asJSON: Bool) {
    if asJSON {
      console.printJSON(
        .object([.init("version", .string(stowageVersion)), .init("format", .string(stowageFormatVersion))]))
    } else {
      console.print("stowage \(stowageVersion), stores of containers/storage \(stowageFormatVersion)")
    }
  }

  static let definition = CommandDefinition(
    "version", arguments: .none, usage: "Return containers-storage version information", options: [.json]
  ) { (context: CommandContext) throws(StorageError) in
    printPairs([("Version", stowageFormatVersion)], context)
    return .success
  }
}
