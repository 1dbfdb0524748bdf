// SPDX-License-Identifier: Apache-2.0

public import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The settings that the configuration files and the environment of this process give (configuration-and-idmaps 4).
///
/// Computed once per process; a failure is kept too.
///
/// - Throws: ``StorageError/Code/configuration`` if a file that must exist does not, or a file is malformed
///   (`decode configuration "<path>": …`).
public func loadDefaultStoreSettings() throws(StorageError) -> StoreSettings { try cachedDefaults.get() }

/// The options that the configuration files and the environment of this process give, as
/// ``loadDefaultStoreSettings()``.
public func loadDefaultStoreOptions() throws(StorageError) -> StoreOptions { try cachedDefaults.get().options }

private let cachedDefaults: Result<StoreSettings, StorageError> = {
  do throws(StorageError) {
    return .success(try loadDefaultStoreSettings(environment: processEnvironment()))
  } catch {
    return .failure(error)
  }
}()

/// The settings that the configuration files give in a certain environment. Not cached.
///
/// - Parameter environment: The variables to look at.
/// - Throws: As ``loadDefaultStoreSettings()``.
public func loadDefaultStoreSettings(environment: [String: String]) throws(StorageError) -> StoreSettings {
  try loadStoreSettings(environment: environment, user: Rootlessness(environment: environment), alternateRoot: "")
}

/// The same for a certain user, and with a directory in front of the vendor's and the administrator's paths.
package func loadStoreSettings(
  environment: [String: String], user: Rootlessness, alternateRoot: String
) throws(StorageError) -> StoreSettings {
  let files = ConfigurationFiles(.storage, environment: environment, user: user, alternateRoot: alternateRoot)
  var configuration = StorageConfiguration()
  try files.read { (path, table) throws(ConfigurationProblem) in try configuration.merge(table, file: path) }
  var settings = try StoreSettings(defaultsFor: user, environment: environment)
  settings.files = configuration.files
  settings.applyDriver(configuration, environment)
  settings.rootAutoUserNSUser = configuration.autoUser
  settings.autoUserNSMinSize = configuration.autoMinSize
  settings.autoUserNSMaxSize = configuration.autoMaxSize
  settings.pullOptions = configuration.pullOptions
  settings.disableVolatile = configuration.disableVolatile
  settings.pinsLayers = configuration.pinsLayers
  settings.transientStore = configuration.transientStore
  settings.applyPaths(configuration, files, environment, user)
  for remark in settings.remarks where remark.isWarning { Log.warning("\(remark) (\(remark.origin))") }
  try settings.check()
  return settings
}

extension StoreSettings {
  fileprivate init(defaultsFor user: Rootlessness, environment: [String: String]) throws(StorageError) {
    self.init()
    if user.usesUserDirectories {
      let runtime = try UserDirectories.runtime(environment, uid: user.uid, effectiveUID: user.effectiveUID)
      runRoot.value = Path.clean(runtime + "/containers")
      graphRoot.value = Path.clean(try UserDirectories.dataHome(environment) + "/containers/storage")
    } else {
      runRoot.value = "/run/containers/storage"
      graphRoot.value = "/var/lib/containers/storage"
    }
  }

  fileprivate mutating func applyDriver(_ configuration: StorageConfiguration, _ environment: [String: String]) {
    driverName = configuration.driver
    if let driver = environment["STORAGE_DRIVER"], !driver.isEmpty {
      driverName = Setting(driver, from: .environment(name: "STORAGE_DRIVER"))
    }
    if driverName.value == "overlay2" {
      Log.warning("Switching default driver from overlay2 to the equivalent overlay driver")
      driverName.value = "overlay"
    }
    driverPriority = configuration.driverPriority.values
    imageStore = configuration.imageStore
    driverOptions = configuration.allDriverOptions
    if let replacement = environment["STORAGE_OPTS"] {
      let origin = SettingOrigin.environment(name: "STORAGE_OPTS")
      if !driverOptions.isEmpty {
        generalRemarks.append(ConfigurationRemark(.replacedOptions(count: driverOptions.count), origin: origin))
      }
      let parts = replacement.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      driverOptions = parts == [""] ? [] : parts.map { Setting($0, from: origin) }
    }
  }

  fileprivate mutating func applyPaths(
    _ configuration: StorageConfiguration, _ files: ConfigurationFiles, _ environment: [String: String],
    _ user: Rootlessness
  ) {
    func expanded(_ path: Setting<String>) -> Setting<String> {
      Setting(Expansion.path(path.value, environment: environment, uid: user.uid), from: path.origin)
    }
    func root(_ configured: Setting<String>, default usual: Setting<String>) -> Setting<String> {
      if configured.value.isEmpty { return usual }
      let wanted = expanded(configured)
      // Files made for older versions name root's directories, and were not meant for anybody else.
      guard user.usesUserDirectories, files.isForEverybody(wanted.origin), isClosed(wanted.value) else {
        return wanted
      }
      generalRemarks.append(ConfigurationRemark(.foreignRoot(wanted.value), origin: wanted.origin))
      return usual
    }
    runRoot = root(configuration.runRoot, default: runRoot)
    if !configuration.rootlessStoragePath.value.isEmpty {
      if user.usesUserDirectories { graphRoot = expanded(configuration.rootlessStoragePath) }
      if !configuration.graphRoot.value.isEmpty {
        generalRemarks.append(ConfigurationRemark(.twoGraphRoots, origin: configuration.rootlessStoragePath.origin))
      }
    }
    graphRoot = root(configuration.graphRoot, default: graphRoot)
  }

  /// Whether this process lacks the right to write a directory, or to make it where it is missing.
  private func isClosed(_ path: String) -> Bool {
    var directory = FilePath(path)
    while Syscall.obstacle(toWriting: directory) == .noSuchFileOrDirectory, directory.removeLastComponent() {}
    return Syscall.obstacle(toWriting: directory) == .permissionDenied
  }

  /// What must hold between the paths (configuration-and-idmaps 4.1, item 11; 21.12).
  fileprivate func check() throws(StorageError) {
    for (name, root) in [("runroot", runRoot), ("graphroot", graphRoot)] where root.value.isEmpty {
      throw StorageError(.configuration, "\(name) must be set")
    }
    try checkPlaces()
    let isGraphRoot =
      imageStore.value.hasSameBytes(as: graphRoot.value)
      || Path.resolvingLinks(imageStore.value)?.hasSameBytes(as: Path.resolvingLinks(graphRoot.value) ?? "") ?? false
    if !imageStore.value.isEmpty, isGraphRoot {
      throw StorageError(
        .configuration,
        "imagestore \(imageStore.value) must either be not set or be different than graphroot "
          + "(imagestore: \(imageStore.origin), graphroot: \(graphRoot.origin))", path: imageStore.value)
    }
  }
}
