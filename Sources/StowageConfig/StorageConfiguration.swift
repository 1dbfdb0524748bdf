// SPDX-License-Identifier: Apache-2.0

/// What the configuration files say together, each decoded on top of those before (configuration 2 and 3).
struct StorageConfiguration: Sendable {
  var driver = ""
  var driverPriority = AttributedList()
  var runRoot = ""
  var graphRoot = ""
  var imageStore = ""
  var rootlessStoragePath = ""
  var transientStore = false

  var additionalImageStores = AttributedList()
  var additionalLayerStores = AttributedList()
  /// Texts by key of `[storage.options]`.
  var options: [String: String] = [:]
  /// Permission bits; 0 for not set.
  var forceMask: UInt32 = 0
  var autoUser = ""
  var autoMinSize: UInt32 = 0
  var autoMaxSize: UInt32 = 0
  var disableVolatile = false
  var pullOptions: [String: String]?
  /// Texts by `driver.key`.
  var driverOptions: [String: String] = [:]

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

  /// Decodes one file onto this. Returns keys nobody knows.
  mutating func merge(_ root: [String: ConfigurationValue]) throws(ConfigurationProblem) -> [String] {
    var unknown: [String] = []
    var decoder = TableDecoder(root, path: "")
    var copy = self
    try decoder.table("storage", unknown: &unknown) { (table, unknown) throws(ConfigurationProblem) in
      try copy.mergeStorage(&table, &unknown)
    }
    self = copy
    return unknown + decoder.unknownKeys
  }

  private mutating func mergeStorage(
    _ table: inout TableDecoder, _ unknown: inout [String]
  ) throws(ConfigurationProblem) {
    try table.string("driver", &driver)
    try table.list("driver_priority", &driverPriority)
    try table.string("runroot", &runRoot)
    try table.string("graphroot", &graphRoot)
    try table.string("imagestore", &imageStore)
    try table.string("rootless_storage_path", &rootlessStoragePath)
    try table.bool("transient_store", &transientStore)
    var copy = self
    try table.table("options", unknown: &unknown) { (table, unknown) throws(ConfigurationProblem) in
      try copy.mergeOptions(&table, &unknown)
    }
    self = copy
  }

  private mutating func mergeOptions(
    _ table: inout TableDecoder, _ unknown: inout [String]
  ) throws(ConfigurationProblem) {
    try table.list("additionalimagestores", &additionalImageStores)
    try table.list("additionallayerstores", &additionalLayerStores)
    for key in StorageConfiguration.genericKeys { try table.string(key, &options[key, default: ""]) }
    try table.uint32("force_mask", &forceMask)
    try table.string("root-auto-userns-user", &autoUser)
    try table.uint32("auto-userns-min-size", &autoMinSize)
    try table.uint32("auto-userns-max-size", &autoMaxSize)
    try table.bool("disable-volatile", &disableVolatile)
    try table.strings("pull_options", &pullOptions)
    // Accepted, without effect.
    var ignored = ""
    try table.string("imagestore", &ignored)
    try table.string("use_composefs", &ignored)
    for (driver, keys) in StorageConfiguration.driverKeys {
      var copy = driverOptions
      try table.table(driver, unknown: &unknown) { (table, _) throws(ConfigurationProblem) in
        for key in keys { try table.string(key, &copy["\(driver).\(key)", default: ""]) }
      }
      driverOptions = copy
    }
  }

  /// The driver options in the order of configuration 4.1, item 5.
  var allDriverOptions: [String] {
    var out = additionalImageStores.values.map { "imagestore=\($0)" }
    out += additionalLayerStores.values.map { "additionallayerstore=\($0)" }
    for key in StorageConfiguration.genericKeys {
      if key == "mountopt", forceMask != 0 { out.append("force_mask=" + String(forceMask, radix: 8)) }
      if let value = options[key], !value.isEmpty { out.append("\(key)=\(value)") }
    }
    for (driver, keys) in StorageConfiguration.driverKeys {
      for key in keys {
        if let value = driverOptions["\(driver).\(key)"], !value.isEmpty { out.append("\(driver).\(key)=\(value)") }
      }
    }
    return out
  }
}
