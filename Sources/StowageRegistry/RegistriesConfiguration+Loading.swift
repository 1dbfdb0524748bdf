// SPDX-License-Identifier: Apache-2.0

package import StowageConfig
public import StowageModel

/// What the files of registries say in this process. Read once; a failure is kept, too.
///
/// - Throws: `configuration`, with the file and the place in it.
public func loadRegistriesConfiguration() throws(StorageError) -> RegistriesConfiguration { try cached.get() }

private let cached: Result<RegistriesConfiguration, StorageError> = {
  do throws(StorageError) {
    return .success(try RegistriesFiles.ofProcess.load())
  } catch {
    return .failure(error)
  }
}()

/// The files that ``loadRegistriesConfiguration()`` reads, in their order, whatever is in them.
public func registriesConfigurationPaths() throws(StorageError) -> [String] { try RegistriesFiles.ofProcess.paths() }

/// Where the configuration of registries is, and how it is read (registries 2.1, 2.5).
package struct RegistriesFiles {
  private let files: ConfigurationFiles
  private let environment: [String: String]
  private let user: Rootlessness
  private let alternateRoot: String

  /// - Parameter alternateRoot: the directory in front of paths of the system; empty for none.
  package init(environment: [String: String], user: Rootlessness, alternateRoot: String = "") {
    files = ConfigurationFiles(.registries, environment: environment, user: user, alternateRoot: alternateRoot)
    self.environment = environment
    self.user = user
    self.alternateRoot = alternateRoot
  }

  fileprivate static var ofProcess: RegistriesFiles {
    let environment = processEnvironment()
    return RegistriesFiles(environment: environment, user: Rootlessness(environment: environment))
  }

  /// All files taken in. Aliases that were chosen when asked count more than those of the configuration.
  package func load() throws(StorageError) -> RegistriesConfiguration {
    var configuration = RegistriesConfiguration()
    try files.read { (path, table) throws(ConfigurationProblem) in try configuration.merge(table, file: path) }
    if let chosen = try chosenAliases() {
      try files.read(chosen, isNamed: false) { (path, table) throws(ConfigurationProblem) in
        try configuration.mergeAliases(of: table, file: path)
      }
    }
    return configuration
  }

  /// The paths of the files that are there.
  package func paths() throws(StorageError) -> [String] {
    let chosen = try chosenAliases().flatMap { ConfigurationFiles.isMissing($0) ? nil : $0 }
    return try files.paths() + (chosen.map { [$0] } ?? [])
  }

  /// The file in which Podman writes the answers to its questions; nil if it is not to be obeyed. It is only read here, without its
  /// lock: it is replaced as a whole.
  private func chosenAliases() throws(StorageError) -> String? {
    let cache =
      user.uid == 0
      ? alternateRoot + "/var/cache" : try UserDirectories.cacheHome(environment, uid: user.uid)
    let path = cache + "/containers/short-name-aliases.conf"
    return files.isOthers(path) ? nil : path
  }
}
