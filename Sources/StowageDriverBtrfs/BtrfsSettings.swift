// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
package import StowageModel

/// The btrfs driver's options (graph-drivers 18.2). Either one switches on the quotas of the file system.
package struct BtrfsSettings: Sendable {
  /// The smallest limit that may be set, bytes; 0 if not configured.
  package var minimumSpace: UInt64 = 0
  /// The limit of containers' layers for which none is asked for, bytes; 0 for none.
  package var defaultSize: UInt64 = 0
  /// Whether an option was given that needs quotas.
  package var wantsQuota = false

  /// Reads the settings from the options for this driver.
  ///
  /// - Throws: `invalidOption` with the texts of graph-drivers 1.3; `imagestore` and `sync` are unknown.
  package init(_ options: [DriverOption]) throws(StorageError) {
    for option in options {
      try option.obeyed { (option) throws(StorageError) in try apply(option) }
    }
  }

  private mutating func apply(_ option: DriverOption) throws(StorageError) {
    switch option.key {
    case "min_space": minimumSpace = UInt64(try ByteSize.parse(option.value))
    case "size": defaultSize = UInt64(try ByteSize.parse(option.value))
    case "mountopt": throw StorageError(.invalidOption, "btrfs driver does not support mount options")
    default: throw option.unknown
    }
    wantsQuota = true
  }

  /// The limit of a new layer in bytes, `nil` for none (graph-drivers 18.4, changes-1.64 8).
  ///
  /// - Throws: `invalidOption`: `unknown option …`, `btrfs: invalid storage size: …`, `btrfs: storage size cannot be less
  ///   than …`.
  package func limit(_ options: LayerCreateOptions) throws(StorageError) -> UInt64? {
    var size = options.isReadWrite && defaultSize > 0 ? defaultSize : nil
    for (key, value) in options.storageOptions.sorted(by: { $0.key < $1.key }) {
      guard key.lowercased() == "size" else {
        throw StorageError(
          .invalidOption,
          "unknown option \(key.lowercased()) (\(goQuoted(BtrfsSettings.listed(options.storageOptions))))", subject: key
        )
      }
      size = UInt64(try ByteSize.parse(value))
    }
    guard let size else { return nil }
    if size == 0 { throw StorageError(.invalidOption, "btrfs: invalid storage size: \(ByteSize.decimal(size))") }
    if size < minimumSpace {
      throw StorageError(
        .invalidOption, "btrfs: storage size cannot be less than \(ByteSize.decimal(minimumSpace))")
    }
    return size
  }

  /// `map[key:value key:value]`, sorted.
  private static func listed(_ options: [String: String]) -> String {
    "map[" + options.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: " ") + "]"
  }
}
