// SPDX-License-Identifier: Apache-2.0

public import StowageConfig
internal import StowageDriverAPI
internal import StowageDrivers
public import StowageModel
public import StowageStore

extension Store {
  /// Opens a store with the drivers of this package, making its directories if they are missing.
  ///
  /// ```swift
  /// let store = try Store.open(StoreOptions(graphRoot: "/var/lib/mine", runRoot: "/run/mine"))
  /// let layer = try store.layers.put(LayerCreation(names: ["base"]), diff: .file("base.tar.gz"))
  /// ```
  ///
  /// - Parameter options: where the store is and how it is kept; a missing root is an error.
  /// - Throws: `incompleteOptions`; `unsupportedDriver`, `prerequisites` and others of the driver; `corrupt` if record
  /// files
  ///   cannot be read.
  public static func open(_ options: StoreOptions) throws(StorageError) -> Store {
    try Store(options: options) { (name, priority, context) throws(StorageError) -> any GraphDriver in
      try StowageDrivers.makeDriver(name: name, priority: priority, context)
    }
  }
}
