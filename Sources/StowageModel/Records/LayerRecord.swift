// SPDX-License-Identifier: Apache-2.0

/// The record of a layer, an entry of `layers.json` or `volatile-layers.json`. Source: on-disk-format 4.2.
public struct LayerRecord: Hashable, Sendable {
  /// The identifier.
  public var id: LayerID
  /// Names, in order.
  public var names: [String]
  /// The layer below; nil for a base layer.
  public var parent: LayerID?
  /// The caller's text.
  public var metadata: String
  /// SELinux mount label.
  public var mountLabel: String
  /// When the record was made.
  public var created: Timestamp
  /// Digest of the blob as supplied.
  public var compressedDiffDigest: Digest?
  /// Bytes of the blob as supplied; 0 if not known.
  public var compressedSize: Int64
  /// Digest of the uncompressed tar, the diffID.
  public var diffDigest: Digest?
  /// Digest of the table of contents of a partially pulled layer.
  public var tocDigest: Digest?
  /// Bytes of the uncompressed tar; -1 if not known. Meaningless without one of the digests.
  public var diffSize: Int64
  /// The number recorded for the compression; see ``compression``.
  public var compressionCode: Int
  /// User IDs of the tar's entries, ascending, each once.
  public var uidSet: [UInt32]
  /// Group IDs of the tar's entries, ascending, each once.
  public var gidSet: [UInt32]
  /// Flags by key; keys nobody knows are kept.
  public var flags: RecordFlags
  /// The ID maps the layer's files are stored with.
  public var idMaps: IDMaps
  /// Keys of the big data items, in order of first write.
  public var bigDataNames: [String]
  /// Members of the record that this version does not know, in order; written back after the known ones.
  public var unknownMembers: [UnknownMember]

  /// Makes a record with the given identifier and everything else empty.
  public init(id: LayerID, parent: LayerID? = nil, names: [String] = [], created: Timestamp = .now()) {
    self.id = id
    self.names = names
    self.parent = parent
    metadata = ""
    mountLabel = ""
    self.created = created
    compressedSize = 0
    diffSize = 0
    compressionCode = 0
    uidSet = []
    gidSet = []
    flags = RecordFlags()
    idMaps = IDMaps()
    bigDataNames = []
    unknownMembers = []
  }

  /// How the blob was compressed; a number nobody knows reads as none.
  public var compression: Compression {
    get { Compression(rawValue: compressionCode) ?? .none }
    set { compressionCode = newValue.rawValue }
  }

  /// True while the layer is being created or deleted; only the JSON boolean `true` counts (on-disk-format 4.6).
  public var isIncomplete: Bool {
    get { flags["incomplete"] == .bool(true) }
    set { flags["incomplete"] = newValue ? .bool(true) : nil }
  }
}
