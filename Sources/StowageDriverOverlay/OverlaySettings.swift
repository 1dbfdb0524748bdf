// SPDX-License-Identifier: Apache-2.0

import StowageDriverAPI
package import StowageFiles
package import StowageModel
package import SystemPackage

/// The overlay driver's options (graph-drivers 4.1).
package struct OverlaySettings: Sendable {
  /// The default mount options as given, comma separated; part of the names of cached probes.
  package var mountOptions = ""
  /// Whether `size` or `inodes` was given; both need project quotas.
  package var wantsQuota = false
  /// Additional image stores, in order.
  package var additionalStores: [FilePath] = []
  /// The configured mount program.
  package var mountProgram: FilePath?
  /// Whether the home stays an ordinary directory.
  package var skipsHomeMount = false
  /// Whether extraction ignores that owners cannot be set.
  package var ignoresChownErrors = false
  /// The permissions all files get, with the real ones kept in an extended attribute.
  package var forceMask: UInt16?
  /// When content must reach the disk: with its whole file system unless the option says otherwise, so that after a
  /// power failure no complete record names empty files.
  package var syncPolicy = SyncPolicy.fileSystem

  /// Default settings.
  package init() {}

  /// Reads the settings from driver options.
  ///
  /// - Throws: `invalidOption` with the texts of graph-drivers 1.3 and 4.1, `notSupported` for composefs and additional
  ///   layer stores.
  package init(options: [String]) throws(StorageError) {
    for option in try DriverOption.parse(options, for: ["overlay", "overlay2"]) {
      try apply(option)
    }
  }

  private mutating func apply(_ option: DriverOption) throws(StorageError) {
    switch option.key {
    case "mountopt": mountOptions = option.value
    case "size":
      _ = try ByteSize.parse(option.value)
      wantsQuota = true
    case "inodes":
      guard UInt64(option.value) != nil else {
        throw StorageError(.invalidOption, "strconv.ParseUint: parsing \(goQuoted(option.value)): invalid syntax")
      }
      wantsQuota = true
    case "imagestore", "additionalimagestore":
      for path in option.list { additionalStores.append(try AdditionalStore.validated(path)) }
    case "additionallayerstore":
      guard option.list.isEmpty else {
        throw StorageError(
          .notSupported,
          "overlay: additional layer stores are not supported by this version (see the status table): driver not supported"
        )
      }
    case "use_composefs":
      if try option.boolean() {
        throw StorageError(
          .notSupported,
          "overlay: composefs is not supported by this version (see the status table): driver not supported")
      }
    case "mount_program":
      guard !option.value.isEmpty else {
        mountProgram = nil
        break
      }
      let path = FilePath(option.value)
      _ = try DriverFiles.existing(path, otherwise: "overlay: can't stat program \(goQuoted(option.value))")
      mountProgram = path
    case "skip_mount_home": skipsHomeMount = try option.boolean()
    case "ignore_chown_errors": ignoresChownErrors = try option.boolean()
    case "force_mask": forceMask = try OverlaySettings.mask(option.value)
    case "sync": syncPolicy = try SyncMode.parse(option.value, driver: "overlay")
    case "override_kernel_check": break
    default: throw option.unknown
    }
  }

  private static func mask(_ text: String) throws(StorageError) -> UInt16 {
    switch text {
    case "shared": return 0o755
    case "private": return 0o700
    default:
      guard let mask = UInt16(text, radix: 8) else {
        throw StorageError(.invalidOption, "strconv.ParseUint: parsing \(goQuoted(text)): invalid syntax")
      }
      return mask
    }
  }
}
