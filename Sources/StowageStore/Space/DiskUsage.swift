// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// What a store takes on disk, and what of it belongs to what.
///
/// Bytes are those of allocated blocks, counted as `du` does: directories too, a file with several names once, holes not, what
/// reflinks share as often as it is shared. So ``bytes`` is what `du --block-size=1 -s` says of the roots while nothing is
/// mounted; the content of mounts is not counted. Images and layers of additional image stores take nothing here.
public struct DiskUsage: Sendable {
  /// Bytes of something.
  public struct Space: Hashable, Sendable {
    /// All that it takes.
    public var bytes: Int64
    /// The part that something else of its kind has, too.
    public var shared: Int64
    /// What would be free if this were deleted, or all that nothing needs: bytes that no other image or container needs. Nil for
    /// containers, of which a store does not know whether somebody needs them.
    public var reclaimable: Int64?

    /// The part in blocks that no other file has, in the store or outside: without what reflinks and snapshots share. Nil where
    /// the file system cannot share blocks, or does not tell.
    public var exclusive: Int64?

    /// The part that nothing else of its kind has.
    public var unique: Int64 { bytes - shared }
  }

  /// A part of the store. The parts add up to the whole.
  public struct Part: Sendable {
    /// What it consists of.
    public enum Kind: String, Sendable, CaseIterable {
      /// Images with their layers, each layer once.
      case images
      /// Containers with their own layers.
      case containers
      /// Layers of no image and no container, and what containers without image are built on.
      case layers
      /// What belongs to nothing, as `gc` finds it.
      case leftovers
      /// What is being made or deleted now: partial pulls, layers that are extracted.
      case downloads
      /// Records, locks and directories of the store itself.
      case records
    }

    /// What it consists of.
    public let kind: Kind
    /// How many there are; nil where that means nothing.
    public let count: Int?
    /// How many are in use: images with containers, containers and layers that are mounted; nil where that means nothing.
    public let inUse: Int?
    /// The bytes. Shared is what several of them have.
    public let space: Space
  }

  /// An image.
  public struct Image: Sendable {
    /// Its record.
    public let record: ImageRecord
    /// Its data and all its layers, each once. Reclaimable is what the deletion of just this image would free.
    public let space: Space
    /// Its layers in this store, mapped copies too.
    public let layers: [LayerID]
    /// The containers that were made from it.
    public let containers: [ContainerID]
    /// Whether it cannot be deleted, for containers here or in another graph root.
    public let isInUse: Bool
  }

  /// A container.
  public struct Container: Sendable {
    /// Its record.
    public let record: ContainerRecord
    /// Its data and its own layer.
    public let space: Space
    /// Whether its layer is mounted.
    public let isMounted: Bool
  }

  /// A layer.
  public struct Layer: Sendable {
    /// Its record.
    public let record: LayerRecord
    /// Its tree and its data, without those of its parents. All is shared if several images have it.
    public let space: Space
    /// The images that have it.
    public let images: [ImageID]
    /// The container whose own layer it is.
    public let container: ContainerID?
    /// Whether it is mounted.
    public let isMounted: Bool
  }

  /// Something that belongs to nothing.
  public struct LeftoverSpace: Sendable {
    /// What it is.
    public let kind: Leftover.Kind
    /// Where it is, absolute.
    public let path: String
    /// What it takes.
    public let bytes: Int64
  }

  /// A directory that the store is made of.
  public struct Root: Sendable {
    /// Where it is, absolute.
    public let path: String
    /// What it takes; files that an earlier root has, too, are counted there.
    public let bytes: Int64
  }

  /// Images of the graph root and the image store.
  public internal(set) var images: [Image] = []
  /// Containers.
  public internal(set) var containers: [Container] = []
  /// Layers of the graph root and the image store.
  public internal(set) var layers: [Layer] = []
  /// What belongs to nothing, sorted by path. Empty in a store that can only be read.
  public internal(set) var leftovers: [LeftoverSpace] = []
  /// The parts, in the order of ``Part/Kind``.
  public internal(set) var parts: [Part] = []
  /// Graph root, image store and run root, without those inside another one.
  public internal(set) var roots: [Root] = []

  /// All bytes.
  public var bytes: Int64 { parts.reduce(0) { $0 + $1.space.bytes } }
  /// What would be free if all were deleted that no image in use and no container needs.
  public var reclaimable: Int64 { parts.reduce(0) { $0 + ($1.space.reclaimable ?? 0) } }
}
