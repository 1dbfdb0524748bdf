// SPDX-License-Identifier: Apache-2.0

/// The record of a container, an entry of `containers.json` or `volatile-containers.json`. Source: on-disk-format 4.4.
public struct ContainerRecord: Hashable, Sendable {
  /// The identifier.
  public var id: ContainerID
  /// Names, in order.
  public var names: [String]
  /// The image it was made from; nil for none.
  public var image: ImageID?
  /// Its own layer.
  public var layer: LayerID
  /// The caller's text.
  public var metadata: String
  /// Keys of the big data items, in order of first write.
  public var bigDataNames: [String]
  /// Bytes of the items.
  public var bigDataSizes: KeyedValues<Int64>
  /// Digests of the items.
  public var bigDataDigests: KeyedValues<Digest>
  /// When the container was made.
  public var created: Timestamp
  /// The ID maps to mount with; may be set although the layer has none.
  public var idMaps: IDMaps
  /// Flags by key; keys nobody knows are kept.
  public var flags: RecordFlags
  /// Members of the record that this version does not know, in order; written back after the known ones.
  public var unknownMembers: [UnknownMember]

  /// Makes a record with the given identifiers and everything else empty.
  public init(
    id: ContainerID, layer: LayerID, image: ImageID? = nil, names: [String] = [], created: Timestamp = .now()
  ) {
    self.id = id
    self.names = names
    self.image = image
    self.layer = layer
    metadata = ""
    bigDataNames = []
    bigDataSizes = KeyedValues()
    bigDataDigests = KeyedValues()
    self.created = created
    idMaps = IDMaps()
    flags = RecordFlags()
    unknownMembers = []
  }
}
