// SPDX-License-Identifier: Apache-2.0
import StowageConfig
import StowageModel

/// How the global options and the configuration become store options (cli 4; configuration-and-idmaps 6).
struct StoreSelection {
  /// The store options so far; what the command line cannot express (ID maps, priorities …) rides along.
  private(set) var options: StoreOptions

  /// The selection of the words before the command.
  ///
  /// If they name no root, driver or driver option, the configuration is the starting point; an error in it comes back
  /// when the store is opened. Unlike in the reference, a given image store and the transient flag then still count
  /// (cli 25, W3).
  init(beforeCommand values: OptionValues) {
    options = StoreOptions()
    options.apply(values)
    guard options.graphRoot.isEmpty, options.runRoot.isEmpty, options.driverName.isEmpty, options.driverOptions.isEmpty,
      var defaults = try? loadDefaultStoreOptions()
    else { return }
    if !options.imageStore.isEmpty { defaults.imageStore = options.imageStore }
    if options.transientStore { defaults.transientStore = true }
    options = defaults
  }

  /// The values with which the parse behind the command begins: the selection, everything else as before.
  func startingValues(_ values: OptionValues, globals: [OptionDefinition]) -> OptionValues {
    var result = OptionValues(globals)
    result[GlobalOptions.debug] = values[GlobalOptions.debug]
    result[GlobalOptions.graph] = .text(options.graphRoot)
    result[GlobalOptions.imageStore] = .text(options.imageStore)
    result[GlobalOptions.run] = .text(options.runRoot)
    result[GlobalOptions.driver] = .text(options.driverName)
    result[GlobalOptions.driverOptions] = .list(options.driverOptions)
    result[GlobalOptions.transient] = .flag(options.transientStore)
    result[GlobalOptions.lockTimeout] = values[GlobalOptions.lockTimeout]
    return result
  }

  /// The selection after the parse behind the command.
  func updated(by values: OptionValues) -> StoreOptions {
    var result = options
    result.apply(values)
    return result
  }

  /// The options with which the store is opened: if just one root is missing, it is the configured one.
  ///
  /// - Throws: an error of the configuration, also if nothing of it is needed: it stops every command.
  static func completed(_ options: StoreOptions) throws(StorageError) -> StoreOptions {
    let defaults = try loadDefaultStoreOptions()
    var result = options
    switch (options.graphRoot.isEmpty, options.runRoot.isEmpty) {
    case (true, true): if options.driverName.isEmpty, options.driverOptions.isEmpty { return defaults }
    case (true, false): result.graphRoot = defaults.graphRoot
    case (false, true): result.runRoot = defaults.runRoot
    case (false, false): break
    }
    return result
  }
}

extension StoreOptions {
  fileprivate mutating func apply(_ values: OptionValues) {
    graphRoot = values[text: GlobalOptions.graph]
    imageStore = values[text: GlobalOptions.imageStore]
    runRoot = values[text: GlobalOptions.run]
    driverName = values[text: GlobalOptions.driver]
    driverOptions = values[list: GlobalOptions.driverOptions]
    transientStore = values[flag: GlobalOptions.transient]
  }
}
