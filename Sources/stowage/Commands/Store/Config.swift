// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageConfig
import StowageModel

/// `config`: the default store options as JSON, whatever the command line says; a file given replaces the configured
/// one, as in 1.60 (cli 22.3 and 24.1). With `--explain`: what holds for this command line, and who said so.
enum ConfigCommand {
  private static let explain = OptionDefinition(
    "--explain", usage: "Show where each value comes from", isAdditional: true)
  private static let json = OptionDefinition("--json", "-j", usage: "Prefer JSON output", isAdditional: true)

  static let definition = CommandDefinition(
    "config", arguments: .optional, synopsis: "[configurationFile]",
    usage: "Print storage library configuration as JSON", options: [explain, json], beforeStore: explained, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    do throws(StorageError) {
      let settings = try configured(by: context.arguments, otherwise: try loadDefaultStoreSettings())
      context.console.write(settings.options.json())
      context.console.write("\n")
      return .success
    } catch {
      throw error.wrapped("load default options")
    }
  }

  /// `--explain` needs no store, so that it helps when the store cannot be opened because of the configuration.
  @Sendable private static func explained(
    _ settings: StoreSettings, _ options: OptionValues, _ arguments: [String], _ console: Console
  ) throws(StorageError) -> ExitStatus? {
    guard options[flag: explain] else { return nil }
    let explanation = Explanation(try configured(by: arguments, otherwise: settings))
    if options[flag: json] { console.printJSON(explanation.json) } else { console.write(explanation.table) }
    return .success
  }

  /// What a file named on the command line gives in place of the configured ones.
  private static func configured(
    by arguments: [String], otherwise settings: StoreSettings
  ) throws(StorageError) -> StoreSettings {
    guard let file = arguments.first.flatMap(given) else { return settings }
    var environment = processEnvironment()
    environment["CONTAINERS_STORAGE_CONF"] = file
    return try loadDefaultStoreSettings(environment: environment)
  }
}
