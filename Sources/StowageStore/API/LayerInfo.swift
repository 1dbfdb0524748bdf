// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// A layer as a store shows it: its record and what is known beside the record.
public struct LayerInfo: Sendable {
  /// The record as it is on disk.
  public let record: LayerRecord
  /// Whether the layer is in an additional image store and cannot be changed.
  public let isReadOnly: Bool
  /// Where the layer is mounted, absolute; `nil` if it is not.
  public let mountPoint: String?
  /// How often the layer was mounted and not yet unmounted; 0 in additional image stores.
  public let mountCount: Int

  /// The layer's identifier.
  public var id: LayerID { record.id }

  package init(record: LayerRecord, isReadOnly: Bool, mountPoint: String? = nil, mountCount: Int = 0) {
    self.record = record
    self.isReadOnly = isReadOnly
    self.mountPoint = mountPoint
    self.mountCount = mountCount
  }
}

/// An image as a store shows it.
public struct ImageInfo: Sendable {
  /// The record as it is on disk.
  public let record: ImageRecord
  /// Whether the image is in an additional image store and cannot be changed.
  public let isReadOnly: Bool
  /// The image's digest followed by those of its manifests, without repetition (on-disk-format 6.5).
  public let digests: [Digest]

  /// The image's identifier.
  public var id: ImageID { record.id }

  package init(record: ImageRecord, isReadOnly: Bool, digests: [Digest]) {
    self.record = record
    self.isReadOnly = isReadOnly
    self.digests = digests
  }
}

/// All records of a store, read under one set of locks.
public struct StoreSnapshot: Sendable {
  /// The layers, primary store first, additional image stores in configured order; not de-duplicated.
  public let layers: [LayerInfo]
  /// The images, in the same order; not de-duplicated.
  public let images: [ImageInfo]
  /// The containers, stable ones first.
  public let containers: [ContainerRecord]

  package init(layers: [LayerInfo], images: [ImageInfo], containers: [ContainerRecord]) {
    self.layers = layers
    self.images = images
    self.containers = containers
  }
}
