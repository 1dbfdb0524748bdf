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
  static let definition = CommandDefinition(
    "version", arguments: .none, usage: "Return containers-storage version information", options: [.json]
  ) { (context: CommandContext) throws(StorageError) in
    printPairs([("Version", stowageVersion)], context)
    return .success
  }
}
