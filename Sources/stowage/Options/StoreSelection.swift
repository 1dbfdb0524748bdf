// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageConfig
import StowageModel

/// How the global options and the configuration become the settings of the store (cli 4; configuration-and-idmaps 6).
struct StoreSelection {
  /// The settings so far; what the command line cannot express (priorities, pull options …) rides along.
  private(set) var settings: StoreSettings

  /// The selection of the words before the command.
  ///
  /// If they name no root, driver or driver option, the configuration is the starting point; an error in it comes back
  /// when the store is opened. Unlike in the reference, a given image store and the transient flag then still count
  /// (cli 25, W3).
  ///
  /// - Parameter isConfigured: whether the configuration is looked at at all.
  init(beforeCommand values: OptionValues, isConfigured: Bool = true) {
    settings = StoreSettings()
    settings.apply(values)
    let options = settings.options
    guard isConfigured, options.graphRoot.isEmpty, options.runRoot.isEmpty, options.driverName.isEmpty,
      options.driverOptions.isEmpty,
      var defaults = try? loadDefaultStoreSettings()
    else { return }
    if !options.imageStore.isEmpty { defaults.imageStore = settings.imageStore }
    if values.isGiven(GlobalOptions.transient) { defaults.transientStore = settings.transientStore }
    settings = defaults
  }

  /// The values with which the parse behind the command begins: the selection, everything else as before.
  func startingValues(_ values: OptionValues, globals: [OptionDefinition]) -> OptionValues {
    let options = settings.options
    var result = OptionValues(globals)
    result[GlobalOptions.debug] = values[GlobalOptions.debug]
    result[GlobalOptions.graph] = .text(options.graphRoot)
    result[GlobalOptions.imageStore] = .text(options.imageStore)
    result[GlobalOptions.run] = .text(options.runRoot)
    result[GlobalOptions.driver] = .text(options.driverName)
    result[GlobalOptions.driverOptions] = .list(options.driverOptions)
    result[GlobalOptions.transient] = .flag(options.transientStore)
    result[GlobalOptions.lockTimeout] = values[GlobalOptions.lockTimeout]
    // Unlike in the reference, one before the command counts (cli 25, W3).
    if values.isGiven(GlobalOptions.unshare) { result.give(GlobalOptions.unshare, values[GlobalOptions.unshare]) }
    return result
  }

  /// The settings after the parse behind the command.
  func updated(by values: OptionValues) -> StoreSettings {
    var result = settings
    result.apply(values)
    return result
  }

  /// The settings with which the store is opened: if just one root is missing, it is the configured one.
  ///
  /// - Throws: an error of the configuration, also if nothing of it is needed: it stops every command.
  static func completed(_ settings: StoreSettings) throws(StorageError) -> StoreSettings {
    let defaults = try loadDefaultStoreSettings()
    var result = settings
    // They were read, whether or not their values count.
    result.files = defaults.files
    result.generalRemarks = defaults.generalRemarks
    // No option gives it, and whoever set it wants every image store spared by programs that know no registrations.
    result.pinsLayers = defaults.pinsLayers
    switch (settings.graphRoot.value.isEmpty, settings.runRoot.value.isEmpty) {
    case (true, true): if settings.driverName.value.isEmpty, settings.driverOptions.isEmpty { return defaults }
    case (true, false): result.graphRoot = defaults.graphRoot
    case (false, true): result.runRoot = defaults.runRoot
    case (false, false): break
    }
    try result.checkPlaces()
    return result
  }
}

extension StoreSettings {
  /// Takes over what the words of a parse give.
  fileprivate mutating func apply(_ values: OptionValues) {
    func take(_ option: OptionDefinition, _ setting: inout Setting<String>) {
      if values.isGiven(option) { setting = Setting(values[text: option], from: .option(name: option.key)) }
    }
    take(GlobalOptions.graph, &graphRoot)
    take(GlobalOptions.imageStore, &imageStore)
    take(GlobalOptions.run, &runRoot)
    take(GlobalOptions.driver, &driverName)
    let origin = SettingOrigin.option(name: GlobalOptions.driverOptions.key)
    driverOptions += values[list: GlobalOptions.driverOptions].dropFirst(driverOptions.count).map {
      Setting($0, from: origin)
    }
    if values.isGiven(GlobalOptions.transient) {
      transientStore = Setting(
        values[flag: GlobalOptions.transient], from: .option(name: GlobalOptions.transient.key))
    }
  }
}
