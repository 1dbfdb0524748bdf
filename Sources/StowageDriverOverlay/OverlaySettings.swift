// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
package import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

/// The overlay driver's options (graph-drivers 4.1).
package struct OverlaySettings: Sendable {
  /// The default mount options as given, comma separated; part of the names of cached probes.
  package var mountOptions = ""
  /// Whether `size` or `inodes` was given; both need project quotas.
  package var wantsQuota = false
  /// Whether composefs was asked for, which this version refuses when the driver starts.
  package var wantsComposefs = false
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

  /// Reads the settings from the options for this driver.
  ///
  /// - Throws: `invalidOption` with the texts of graph-drivers 1.3 and 4.1 and configuration-and-idmaps 5.2,
  ///   `notSupported` for additional layer stores.
  package init(_ options: [DriverOption]) throws(StorageError) {
    for option in options {
      try option.obeyed { (option) throws(StorageError) in try apply(option) }
    }
  }

  private mutating func apply(_ option: DriverOption) throws(StorageError) {
    switch option.key {
    case "mountopt": mountOptions = option.value
    case "size":
      _ = try ByteSize.parse(option.value)
      wantsQuota = true
    case "inodes":
      _ = try option.number(UInt64.self, function: "ParseUint")
      wantsQuota = true
    case "imagestore", "additionalimagestore":
      for path in option.list { additionalStores.append(try AdditionalStore.validated(path)) }
    case "additionallayerstore":
      for store in option.list { try OverlaySettings.refuseLayerStore(store) }
    case "use_composefs":
      wantsComposefs = try option.boolean()
    case "mount_program":
      guard !option.value.isEmpty else {
        mountProgram = nil
        break
      }
      let path = FilePath(option.value)
      _ = try HostFiles.existing(
        path, call: "faccessat", otherwise: "overlay: can't stat program \(goQuoted(option.value))")
      mountProgram = path
    case "skip_mount_home": skipsHomeMount = try option.boolean()
    case "ignore_chown_errors": ignoresChownErrors = try option.boolean()
    case "force_mask": forceMask = try OverlaySettings.mask(option)
    case "sync": syncPolicy = try SyncMode.parse(option.value, driver: "overlay")
    case "override_kernel_check": break
    default: throw option.unknown
    }
  }

  private static func mask(_ option: DriverOption) throws(StorageError) -> UInt16 {
    switch option.value {
    case "shared": return 0o755
    case "private": return 0o700
    default:
      let mask = try option.number(Int32.self, radix: 8, function: "ParseInt")
      guard let bits = UInt16(exactly: mask), bits <= 0o7777 else {
        throw StorageError(.invalidOption, "overlay: force_mask \(goQuoted(option.value)) is no set of permissions")
      }
      return bits
    }
  }

  /// Checks `path[:ref]` as the reference does, and then says that these stores cannot be used yet.
  private static func refuseLayerStore(_ text: String) throws(StorageError) {
    var parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let path = FilePath(parts.removeFirst()).lexicallyNormalized()
    let name = goQuoted(path.string)
    guard path.isAbsolute else {
      throw StorageError(
        .invalidOption, "overlay: additionallayerstore path \(name) is not absolute.  Can not be relative")
    }
    let status = try HostFiles.existing(path, otherwise: "overlay: can't stat additionallayerstore dir")
    guard status.kind == .directory else {
      throw StorageError(.invalidOption, "overlay: additionallayerstore path \(name) must be a directory")
    }
    for (index, part) in parts.enumerated() {
      guard part == "ref" else {
        throw StorageError(
          .invalidOption, "overlay: additionallayerstore config \(name) contains unknown option \(goQuoted(part))")
      }
      guard index == 0 else {
        throw StorageError(
          .invalidOption, "overlay: additionallayerstore config of \(name) contains \"ref\" option twice")
      }
    }
    throw StorageError(
      .notSupported,
      "overlay: additional layer stores are not supported by this version (see the status table): driver not supported")
  }
}
