// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// Where images and their layers are moved to.
public enum RelocationTarget: String, Sendable, CaseIterable {
  /// The image store, which graph roots can share.
  case imageStore = "image-store"
  /// The graph root.
  case graphRoot = "graph-root"
}

/// What a move of images between the graph root and the image store does, or would do.
public struct Relocation: Sendable {
  /// What becomes of one layer.
  public struct Layer: Sendable {
    /// The layer.
    public let id: LayerID
    /// Bytes of its content, as recorded; -1 if that is not known.
    public let size: Int64
    /// Whether its content is copied; otherwise it is in the target already.
    public let isCopied: Bool
    /// Why it stays in its old place, too; `nil` if it leaves.
    public internal(set) var remains: String?
  }

  /// What becomes of one image.
  public struct Image: Sendable {
    /// The image.
    public let id: ImageID
    /// Its names.
    public let names: [String]
    /// Whether its record moves; otherwise it is in the target already.
    public let isMoved: Bool
  }

  /// How far the work is.
  public struct Progress: Sendable {
    /// The layer.
    public let layer: LayerID
    /// Its position among the layers, from 0.
    public let index: Int
    /// The number of layers.
    public let count: Int
    /// Bytes of its content.
    public let size: Int64
    /// Whether it is in the target now.
    public let isDone: Bool
  }

  /// Where to.
  public let target: RelocationTarget
  /// The images, in the order given or listed.
  public let images: [Image]
  /// Their layers, every parent before its children.
  public internal(set) var layers: [Layer]
}
