// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// What a new image is to be (store-semantics 10.1).
public struct ImageCreation: Sendable {
  /// The identifier; `nil` or empty for a random one.
  public var id: String?
  /// Names; repetitions are dropped.
  public var names: [String]
  /// The top layer's identifier, name or unique identifier prefix; `nil` or empty for none.
  public var layer: String?
  /// Text of the caller, kept unread.
  public var metadata: String
  /// The creation time to record; `nil` for now.
  public var created: Timestamp?
  /// The image's digest as text; `nil` or empty for that of the manifest.
  public var digest: String?
  /// Big data items, in order.
  public var bigData: [BigDataItem]
  /// Names the image had before, newest first.
  public var namesHistory: [String]
  /// Flags.
  public var flags: RecordFlags

  /// Whether names that other images have are taken away from them, and all names enter the history, as if they were
  /// added afterwards; in the same write as the record.
  public var takesNames = false

  /// Describes an image.
  public init(
    id: String? = nil, names: [String] = [], layer: String? = nil, metadata: String = "", created: Timestamp? = nil,
    digest: String? = nil, bigData: [BigDataItem] = [], namesHistory: [String] = [], flags: RecordFlags = RecordFlags()
  ) {
    self.id = id
    self.names = names
    self.layer = layer
    self.metadata = metadata
    self.created = created
    self.digest = digest
    self.bigData = bigData
    self.namesHistory = namesHistory
    self.flags = flags
  }
}

/// What a new container is to be (store-semantics 11.1).
public struct ContainerCreation: Sendable {
  /// The identifier; `nil` or empty for a random one.
  public var id: String?
  /// Names; repetitions are dropped.
  public var names: [String]
  /// The image's identifier, name or unique identifier prefix; empty for a container without image.
  public var image: String
  /// The identifier of the container's own layer; `nil` or empty for a random one.
  public var layerID: String?
  /// Text of the caller, kept unread.
  public var metadata: String
  /// Whether the records may be lost in a power failure.
  public var isVolatile: Bool
  /// ID maps.
  public var idMaps: IDMapRequest
  /// Lets the store choose the ID maps; then ``idMaps`` has no say. `nil`: not wanted.
  public var automaticUserNamespace: AutomaticUserNamespace?
  /// Flags beside the store's own; `MountLabel` and `ProcessLabel` are the SELinux labels.
  public var flags: RecordFlags
  /// Options for every mount of the container; empty for the driver's default.
  public var mountOptions: [String]
  /// Per-layer options of the driver (`size`, `inodes`).
  public var storageOptions: [String: String]
  /// Big data items, in order.
  public var bigData: [BigDataItem]

  /// Describes a container.
  public init(
    id: String? = nil, names: [String] = [], image: String = "", layerID: String? = nil, metadata: String = "",
    isVolatile: Bool = false, idMaps: IDMapRequest = IDMapRequest(),
    automaticUserNamespace: AutomaticUserNamespace? = nil, flags: RecordFlags = RecordFlags(),
    mountOptions: [String] = [], storageOptions: [String: String] = [:], bigData: [BigDataItem] = []
  ) {
    self.id = id
    self.names = names
    self.image = image
    self.layerID = layerID
    self.metadata = metadata
    self.isVolatile = isVolatile
    self.idMaps = idMaps
    self.automaticUserNamespace = automaticUserNamespace
    self.flags = flags
    self.mountOptions = mountOptions
    self.storageOptions = storageOptions
    self.bigData = bigData
  }
}
