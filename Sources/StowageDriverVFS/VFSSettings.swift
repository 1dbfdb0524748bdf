// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
package import StowageFiles
package import StowageModel
package import SystemPackage

/// The vfs driver's options (graph-drivers 17.2). `sync` is accepted, unlike by the reference (graph-drivers 26.9).
package struct VFSSettings: Sendable {
  /// Additional image stores, in order. Unlike by the reference they must exist (configuration-and-idmaps 21.9).
  package var additionalStores: [FilePath] = []
  /// Whether extraction ignores that owners cannot be set.
  package var ignoresChownErrors = false
  /// When content must reach the disk: with its whole file system unless the option says otherwise, so that after a
  /// power failure no complete record names empty files.
  package var syncPolicy = SyncPolicy.fileSystem

  /// Reads the settings from the options for this driver.
  ///
  /// - Throws: `invalidOption` with the texts of graph-drivers 1.3.
  package init(_ options: [DriverOption]) throws(StorageError) {
    for option in options {
      try option.obeyed { (option) throws(StorageError) in try apply(option) }
    }
  }

  private mutating func apply(_ option: DriverOption) throws(StorageError) {
    switch option.key {
    case "imagestore":
      for path in option.list { additionalStores.append(try AdditionalStore.validated(path, driver: "vfs")) }
    case "mountopt": throw StorageError(.invalidOption, "vfs driver does not support mount options")
    case "ignore_chown_errors": ignoresChownErrors = try option.boolean()
    case "sync": syncPolicy = try SyncMode.parse(option.value, driver: "vfs")
    default: throw option.unknown
    }
  }
}
