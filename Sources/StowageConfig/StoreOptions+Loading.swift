// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// The options that the configuration files and the environment of this process give (configuration 4).
///
/// Computed once per process; a failure is kept too.
///
/// - Throws: ``StorageError/Code/configuration`` if a file that must exist does not, or a file is malformed
///   (`decode configuration "<path>": …`).
public func loadDefaultStoreOptions() throws(StorageError) -> StoreOptions { try cachedDefaults.get() }

private let cachedDefaults: Result<StoreOptions, StorageError> = {
  do throws(StorageError) {
    return .success(try loadDefaultStoreOptions(environment: processEnvironment()))
  } catch {
    return .failure(error)
  }
}()

/// The options that the configuration files give in a certain environment. Not cached.
///
/// - Parameter environment: The variables to look at.
/// - Throws: As ``loadDefaultStoreOptions()``.
public func loadDefaultStoreOptions(environment: [String: String]) throws(StorageError) -> StoreOptions {
  try loadStoreOptions(environment: environment, user: Rootlessness(environment: environment), alternateRoot: "")
}

/// The same for a certain user, and with a directory in front of the vendor's and the administrator's paths.
package func loadStoreOptions(
  environment: [String: String], user: Rootlessness, alternateRoot: String
) throws(StorageError) -> StoreOptions {
  let files = ConfigurationFiles(environment: environment, uid: user.uid, alternateRoot: alternateRoot)
  let configuration = try files.load()
  var options = try StoreOptions(defaultsFor: user, environment: environment)
  options.applyDriver(configuration, environment)
  options.rootAutoUserNSUser = configuration.autoUser
  options.autoUserNSMinSize = configuration.autoMinSize
  options.autoUserNSMaxSize = configuration.autoMaxSize
  options.pullOptions = configuration.pullOptions
  options.disableVolatile = configuration.disableVolatile
  options.transientStore = configuration.transientStore
  options.applyPaths(configuration, environment, user)
  if options.runRoot.isEmpty { throw StorageError(.configuration, "runroot must be set") }
  if options.graphRoot.isEmpty { throw StorageError(.configuration, "graphroot must be set") }
  if options.imageStore.hasSameBytes(as: options.graphRoot) {
    throw StorageError(
      .configuration, "imagestore \(options.imageStore) must either be not set or be different than graphroot")
  }
  return options
}

extension StoreOptions {
  fileprivate init(defaultsFor user: Rootlessness, environment: [String: String]) throws(StorageError) {
    self.init()
    if user.usesUserDirectories {
      let runtime = try UserDirectories.runtime(environment, uid: user.uid, effectiveUID: user.effectiveUID)
      runRoot = Path.clean(runtime + "/containers")
      graphRoot = Path.clean(try UserDirectories.dataHome(environment) + "/containers/storage")
    } else {
      runRoot = "/run/containers/storage"
      graphRoot = "/var/lib/containers/storage"
    }
  }

  fileprivate mutating func applyDriver(_ configuration: StorageConfiguration, _ environment: [String: String]) {
    driverName = configuration.driver
    if let driver = environment["STORAGE_DRIVER"], !driver.isEmpty { driverName = driver }
    if driverName == "overlay2" {
      Log.warning("Switching default driver from overlay2 to the equivalent overlay driver")
      driverName = "overlay"
    }
    driverPriority = configuration.driverPriority.values
    imageStore = configuration.imageStore
    driverOptions = configuration.allDriverOptions
    if let replacement = environment["STORAGE_OPTS"] {
      let parts = replacement.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      driverOptions = parts == [""] ? [] : parts
    }
  }

  fileprivate mutating func applyPaths(
    _ configuration: StorageConfiguration, _ environment: [String: String], _ user: Rootlessness
  ) {
    func expanded(_ path: String) -> String { Expansion.path(path, environment: environment, uid: user.uid) }
    if !configuration.runRoot.isEmpty { runRoot = expanded(configuration.runRoot) }
    if !configuration.rootlessStoragePath.isEmpty {
      if user.usesUserDirectories { graphRoot = expanded(configuration.rootlessStoragePath) }
      if !configuration.graphRoot.isEmpty {
        Log.warning(
          "Both rootless_storage_path and graphroot are set, using graphroot setting only, rootless_storage_path is "
            + "deprecated and should be removed from the config")
      }
    }
    if !configuration.graphRoot.isEmpty { graphRoot = expanded(configuration.graphRoot) }
  }
}
