// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// The options of a store, each with where it comes from.
///
/// This is what the configuration files and the environment give; a program may put its own options on top. Source:
/// configuration-and-idmaps 4 and 6.
public struct StoreSettings: Hashable, Sendable {
  /// As in ``StoreOptions/runRoot``.
  public var runRoot = Setting("")
  /// As in ``StoreOptions/graphRoot``.
  public var graphRoot = Setting("")
  /// As in ``StoreOptions/imageStore``.
  public var imageStore = Setting("")
  /// As in ``StoreOptions/driverName``.
  public var driverName = Setting("")
  /// As in ``StoreOptions/driverPriority``.
  public var driverPriority: [Setting<String>] = []
  /// As in ``StoreOptions/driverOptions``.
  public var driverOptions: [Setting<String>] = []
  /// As in ``StoreOptions/rootAutoUserNSUser``.
  public var rootAutoUserNSUser = Setting("")
  /// As in ``StoreOptions/autoUserNSMinSize``.
  public var autoUserNSMinSize = Setting<UInt32>(0)
  /// As in ``StoreOptions/autoUserNSMaxSize``.
  public var autoUserNSMaxSize = Setting<UInt32>(0)
  /// As in ``StoreOptions/pullOptions``.
  public var pullOptions: [String: Setting<String>]?
  /// As in ``StoreOptions/disableVolatile``.
  public var disableVolatile = Setting(false)
  /// As in ``StoreOptions/pinsLayers``.
  public var pinsLayers = Setting(false)
  /// As in ``StoreOptions/transientStore``.
  public var transientStore = Setting(false)
  /// The files that were read, in the order in which they apply.
  public var files: [ConfigurationFile] = []
  /// What is odd about the files together or about the environment; the rest is in ``files``.
  public var generalRemarks: [ConfigurationRemark] = []

  /// Nothing set.
  public init() {}

  /// The values alone.
  public var options: StoreOptions {
    var options = StoreOptions()
    options.runRoot = runRoot.value
    options.graphRoot = graphRoot.value
    options.imageStore = imageStore.value
    options.driverName = driverName.value
    options.driverPriority = driverPriority.map(\.value)
    options.driverOptions = driverOptions.map(\.value)
    options.rootAutoUserNSUser = rootAutoUserNSUser.value
    options.autoUserNSMinSize = autoUserNSMinSize.value
    options.autoUserNSMaxSize = autoUserNSMaxSize.value
    options.pullOptions = pullOptions?.mapValues(\.value)
    options.disableVolatile = disableVolatile.value
    options.pinsLayers = pinsLayers.value
    options.transientStore = transientStore.value
    return options
  }

  /// Everything odd: what concerns single files first.
  public var remarks: [ConfigurationRemark] { files.flatMap(\.remarks) + generalRemarks }

  /// Tells the log, at its lowest level, which files were read and what is odd.
  public func log() {
    for file in files { file.log() }
    for remark in generalRemarks { Log.debug("\(remark.origin): \(remark)") }
  }

  /// Where a file sets what a failure to open the store is about; nil if that cannot be told, or if no file does.
  ///
  /// `the option "size=x" comes from /etc/containers/storage.conf:9:8`; for a root of the system that holds for a user
  /// without its rights, too, a second line tells what helps.
  public func explanation(of error: StorageError) -> String? {
    func text(_ name: String, _ setting: Setting<String>) -> String? {
      guard case .file = setting.origin else { return nil }
      return "\(name) \(goQuoted(setting.value)) comes from \(setting.origin)"
    }
    if let subject = error.subject {
      if let option = driverOptions.last(where: { $0.value == subject }) { return text("the option", option) }
      if driverName.value == subject { return text("the driver", driverName) }
    }
    guard let path = error.path else { return nil }
    for (name, root) in [("runroot", runRoot), ("graphroot", graphRoot), ("imagestore", imageStore)]
    where !root.value.isEmpty {
      // A failure concerns the root itself, something in it, or a parent that cannot be made.
      if path == root.value || path.hasPrefix(root.value + "/") || root.value.hasPrefix(path + "/") {
        return text(name, root).map { $0 + advice(root.origin) }
      }
    }
    return nil
  }
  /// Files of a system made for older versions, where roots did not hold for users, shut all of these out
  /// (configuration-and-idmaps 4.1, migration trap).
  private func advice(_ origin: SettingOrigin) -> String {
    guard case .file(let path, _, _) = origin, path.hasPrefix("/etc/") || path.hasPrefix("/usr/"),
      Rootlessness(environment: processEnvironment()).usesUserDirectories
    else { return "" }
    return "\n~/.config/containers/storage.conf is read in its place if there is one, and need not name any root"
  }
}
