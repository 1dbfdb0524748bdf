// SPDX-License-Identifier: Apache-2.0
import StowageConfig
import StowageModel

/// `config`: the default store options as JSON, whatever the command line says; a file given replaces the configured
/// one, as in 1.60 (cli 22.3 and 24.1).
enum ConfigCommand {
  static let definition = CommandDefinition(
    "config", arguments: .optional, synopsis: "[configurationFile]",
    usage: "Print storage library configuration as JSON", run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    var environment = processEnvironment()
    if let file = context.arguments.first.flatMap(given) { environment["CONTAINERS_STORAGE_CONF"] = file }
    do throws(StorageError) {
      let options = try loadDefaultStoreOptions(environment: environment)
      context.console.write(options.json())
      context.console.write("\n")
      return .success
    } catch {
      throw error.wrapped("load default options")
    }
  }
}
