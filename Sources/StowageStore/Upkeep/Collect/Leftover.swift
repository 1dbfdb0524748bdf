// SPDX-License-Identifier: Apache-2.0

/// Something in a store that belongs to nothing: processes that died, or other versions, left it.
public struct Leftover: Hashable, Sendable {
  /// What it is.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// The tree of a layer that is not recorded.
    case layer
    /// A tar-split file or the data directory of a layer that is not recorded.
    case layerData = "layer data"
    /// The data directory of an image that is not recorded.
    case imageData = "image data"
    /// The data directory of a container that is not recorded.
    case containerData = "container data"
    /// A short name that leads to no layer.
    case link
    /// A partial pull that was not finished.
    case staging = "staging directory"
    /// A directory in which the kernel's features were tried.
    case probe = "probe directory"
    /// The temporary file of a replacement that was not finished.
    case temporary = "temporary file"
  }

  /// The kind.
  public let kind: Kind
  /// Where it was found, absolute.
  public let path: String
  /// The space it takes, in bytes; 0 if that cannot be found out.
  public var bytes: Int64
  /// Whether it is deleted.
  public var isFreed: Bool
}

/// What a search for leftovers found and deleted.
public struct LeftoverReport: Hashable, Sendable {
  /// Everything found, sorted by path.
  public var leftovers: [Leftover] = []
  /// What looks left over and stays, because it may be somebody's, each with the reason.
  public var kept: [String] = []

  /// What was set aside for deletion, now or earlier, and cannot be deleted: each with its path and the reason.
  public var undeletable: [String] = []

  /// Nothing found.
  public init() {}

  /// Bytes of everything found.
  public var bytesFound: Int64 { leftovers.reduce(0) { $0 + $1.bytes } }
  /// Bytes of what was deleted.
  public var bytesFreed: Int64 { leftovers.reduce(0) { $0 + ($1.isFreed ? $1.bytes : 0) } }
  /// Number of things deleted.
  public var numberFreed: Int { leftovers.count { $0.isFreed } }
}
