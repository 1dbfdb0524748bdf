// SPDX-License-Identifier: Apache-2.0

/// What the configuration files say together, each decoded on top of those before (configuration-and-idmaps 2 and 3).
struct StorageConfiguration: Sendable {
  var driver = Setting("")
  var driverPriority = AttributedList()
  var runRoot = Setting("")
  var graphRoot = Setting("")
  var imageStore = Setting("")
  var rootlessStoragePath = Setting("")
  var transientStore = Setting(false)

  var additionalImageStores = AttributedList()
  var additionalLayerStores = AttributedList()
  /// Texts by key of `[storage.options]`.
  var options: [String: Setting<String>] = [:]
  /// Permission bits; 0 for not set.
  var forceMask = Setting<UInt32>(0)
  var autoUser = Setting("")
  var autoMinSize = Setting<UInt32>(0)
  var autoMaxSize = Setting<UInt32>(0)
  var disableVolatile = Setting(false)
  var pinsLayers = Setting(false)
  var pullOptions: [String: Setting<String>]?
  /// Texts by `driver.key`.
  var driverOptions: [String: Setting<String>] = [:]

  /// The files decoded so far, in their order.
  var files: [ConfigurationFile] = []

  /// Keys of the driver tables in the order in which they become driver options.
  static let driverKeys: [(driver: String, keys: [String])] = [
    ("btrfs", ["min_space", "size"]),
    (
      "overlay",
      [
        "ignore_chown_errors", "mount_program", "mountopt", "size", "inodes", "skip_mount_home", "force_mask",
        "use_composefs", "sync",
      ]
    ),
    ("vfs", ["ignore_chown_errors", "sync"]),
    ("zfs", ["fsname", "mountopt", "size"]),
  ]

  /// Generic keys in that order; `force_mask` is an integer and comes after `ignore_chown_errors`.
  static let genericKeys = ["size", "mount_program", "skip_mount_home", "ignore_chown_errors", "mountopt"]

  /// Decodes one file onto this.
  mutating func merge(_ root: ConfigurationTable, file: String) throws(ConfigurationProblem) {
    var decoder = TableDecoder(root, file: file)
    var copy = self
    try decoder.table("storage") { (table) throws(ConfigurationProblem) in try copy.mergeStorage(&table) }
    self = copy
    files.append(ConfigurationFile(path: file, remarks: decoder.allRemarks))
  }

  private mutating func mergeStorage(_ table: inout TableDecoder) throws(ConfigurationProblem) {
    try table.string("driver", &driver)
    try table.list("driver_priority", &driverPriority)
    try table.string("runroot", &runRoot)
    try table.string("graphroot", &graphRoot)
    try table.string("imagestore", &imageStore)
    try table.string("rootless_storage_path", &rootlessStoragePath)
    try table.bool("transient_store", &transientStore)
    var copy = self
    try table.table("options") { (table) throws(ConfigurationProblem) in try copy.mergeOptions(&table) }
    self = copy
  }

  private mutating func mergeOptions(_ table: inout TableDecoder) throws(ConfigurationProblem) {
    try table.list("additionalimagestores", &additionalImageStores)
    try table.list("additionallayerstores", &additionalLayerStores)
    for key in StorageConfiguration.genericKeys { try table.string(key, &options[key, default: Setting("")]) }
    try table.uint32("force_mask", &forceMask)
    try table.string("root-auto-userns-user", &autoUser)
    try table.uint32("auto-userns-min-size", &autoMinSize)
    try table.uint32("auto-userns-max-size", &autoMaxSize)
    try table.bool("disable-volatile", &disableVolatile)
    try table.bool("pin_layers", &pinsLayers)
    try table.strings("pull_options", &pullOptions)
    try table.ineffective("imagestore", insteadUse: "storage.imagestore")
    try table.ineffective("use_composefs", insteadUse: "storage.options.overlay.use_composefs")
    for (driver, keys) in StorageConfiguration.driverKeys {
      var copy = driverOptions
      try table.table(driver) { (table) throws(ConfigurationProblem) in
        for key in keys { try table.string(key, &copy["\(driver).\(key)", default: Setting("")]) }
      }
      driverOptions = copy
    }
  }

  /// The driver options in the order of configuration-and-idmaps 4.1, item 5.
  var allDriverOptions: [Setting<String>] {
    func option(_ key: String, _ setting: Setting<String>?) -> [Setting<String>] {
      guard let setting, !setting.value.isEmpty else { return [] }
      return [Setting("\(key)=\(setting.value)", from: setting.origin)]
    }
    var out = additionalImageStores.values.map { Setting("imagestore=\($0.value)", from: $0.origin) }
    out += additionalLayerStores.values.map { Setting("additionallayerstore=\($0.value)", from: $0.origin) }
    for key in StorageConfiguration.genericKeys {
      if key == "mountopt", forceMask.value != 0 {
        out += option("force_mask", Setting(String(forceMask.value, radix: 8), from: forceMask.origin))
      }
      out += option(key, options[key])
    }
    for (driver, keys) in StorageConfiguration.driverKeys {
      for key in keys { out += option("\(driver).\(key)", driverOptions["\(driver).\(key)"]) }
    }
    return out
  }
}
