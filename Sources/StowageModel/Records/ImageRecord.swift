// SPDX-License-Identifier: Apache-2.0

/// The record of an image, an entry of `images.json`. Source: on-disk-format 4.3.
public struct ImageRecord: Hashable, Sendable {
  /// The identifier.
  public var id: ImageID
  /// The digest given at creation or taken from a manifest; may be no valid one.
  public var digest: Digest?
  /// Names, in order.
  public var names: [String]
  /// Names the image has or had, newest first.
  public var namesHistory: [String]
  /// The top layer; nil for an image without layers.
  public var layer: LayerID?
  /// Copies of the top layer with other ID maps, in order of creation.
  public var mappedLayers: [LayerID]
  /// The caller's text.
  public var metadata: String
  /// Keys of the big data items, in order of first write.
  public var bigDataNames: [String]
  /// Bytes of the items.
  public var bigDataSizes: KeyedValues<Int64>
  /// Digests of the items.
  public var bigDataDigests: KeyedValues<Digest>
  /// The caller's creation date, else that of the record.
  public var created: Timestamp
  /// Flags by key; keys nobody knows are kept.
  public var flags: RecordFlags
  /// Members of the record that this version does not know, in order; written back after the known ones.
  public var unknownMembers: [UnknownMember]

  /// Makes a record with the given identifier and everything else empty.
  public init(id: ImageID, layer: LayerID? = nil, names: [String] = [], created: Timestamp = .now()) {
    self.id = id
    self.names = names
    namesHistory = []
    self.layer = layer
    mappedLayers = []
    metadata = ""
    bigDataNames = []
    bigDataSizes = KeyedValues()
    bigDataDigests = KeyedValues()
    self.created = created
    flags = RecordFlags()
    unknownMembers = []
  }
}
