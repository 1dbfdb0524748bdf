// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// The ID maps wanted for a new layer or container.
///
/// Without maps and without host mapping a layer takes those of its parent, and without a parent those of the store
/// (store-semantics 7.1).
public struct IDMapRequest: Hashable, Sendable {
  /// User IDs are not mapped; ``maps`` has no say for them.
  public var usesHostUIDs: Bool
  /// Group IDs are not mapped; ``maps`` has no say for them.
  public var usesHostGIDs: Bool
  /// The maps; empty lists mean "not given".
  public var maps: IDMaps

  /// IDs as they are on the host.
  package static let host = IDMapRequest(usesHostUIDs: true, usesHostGIDs: true)

  /// States what is wanted; by default nothing.
  public init(usesHostUIDs: Bool = false, usesHostGIDs: Bool = false, maps: IDMaps = IDMaps()) {
    self.usesHostUIDs = usesHostUIDs
    self.usesHostGIDs = usesHostGIDs
    self.maps = maps
  }
}

/// What a new layer is to be.
public struct LayerCreation: Sendable {
  /// The identifier; `nil` or empty for a random one.
  public var id: String?
  /// The parent's identifier, name or unique identifier prefix; `nil` or empty for a base layer.
  public var parent: String?
  /// Names; repetitions are dropped.
  public var names: [String]
  /// The SELinux label for mounts, or empty.
  public var mountLabel: String
  /// Whether the layer is for a container's changes; image content (false) goes to the image store if there is one.
  public var isWritable: Bool
  /// ID maps.
  public var idMaps: IDMapRequest
  /// Whether the record may be lost in a power failure.
  public var isVolatile: Bool
  /// Big data items, written before the layer is complete.
  public var bigData: [BigDataItem]
  /// Flags beside the store's own.
  public var flags: RecordFlags
  /// Text of the caller, kept unread.
  public var metadata: String
  /// Per-layer options of the driver (`size`, `inodes`).
  public var storageOptions: [String: String]
  /// Digest and size of the diff as presented, if the caller has verified them; only SHA-256 is used.
  public var originalDigest: Digest?
  /// The size in bytes that belongs to ``originalDigest``.
  public var originalSize: Int64?
  /// Digest of the uncompressed diff, if the caller knows it; only SHA-256 is used.
  public var uncompressedDigest: Digest?

  /// Digest of the table of contents, for a layer that is recorded like a partial pull of a zstd:chunked blob: without
  /// what is known of the blob (chunked-and-composefs 2.8).
  package var tocDigest: Digest?

  /// The image on its way that the layer belongs to; see ``PendingImage``.
  package var pending: PendingImage?

  /// Describes a layer; by default a base layer for image content without names.
  public init(
    id: String? = nil, parent: String? = nil, names: [String] = [], mountLabel: String = "", isWritable: Bool = false,
    idMaps: IDMapRequest = IDMapRequest(), isVolatile: Bool = false, bigData: [BigDataItem] = [],
    flags: RecordFlags = RecordFlags(), metadata: String = "", storageOptions: [String: String] = [:],
    originalDigest: Digest? = nil, originalSize: Int64? = nil, uncompressedDigest: Digest? = nil
  ) {
    self.id = id
    self.parent = parent
    self.names = names
    self.mountLabel = mountLabel
    self.isWritable = isWritable
    self.idMaps = idMaps
    self.isVolatile = isVolatile
    self.bigData = bigData
    self.flags = flags
    self.metadata = metadata
    self.storageOptions = storageOptions
    self.originalDigest = originalDigest
    self.originalSize = originalSize
    self.uncompressedDigest = uncompressedDigest
  }
}

/// What a diff must turn out to be; a mismatch discards the layer.
public struct ExpectedDiff: Sendable {
  /// Digest of the stream as presented.
  public var compressedDigest: Digest?
  /// Length in bytes of the stream as presented.
  public var compressedSize: Int64?
  /// Digest of the uncompressed stream (diffID).
  public var diffDigest: Digest?
  /// What the uncompressed stream may take, holes of sparse files counted; `nil` for any size. Several diffs can share one.
  public var limit: SizeLimit?

  /// States what is known; nothing is checked by default.
  public init(
    compressedDigest: Digest? = nil, compressedSize: Int64? = nil, diffDigest: Digest? = nil, limit: SizeLimit? = nil
  ) {
    self.compressedDigest = compressedDigest
    self.compressedSize = compressedSize
    self.diffDigest = diffDigest
    self.limit = limit
  }
}
