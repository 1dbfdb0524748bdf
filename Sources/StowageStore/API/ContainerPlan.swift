// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// What the making of a container would do, and what a mount of it would do then.
public struct ContainerPlan: Hashable, Sendable {
  /// Stands in paths for the identifier of the container's layer, which is random.
  public static let newLayer = "NEW-LAYER"

  /// The container's identifier; `nil` for a random one.
  public let id: ContainerID?
  /// Its names, each once.
  public let names: [String]
  /// The image; `nil` for none.
  public let image: ImageID?
  /// The image's layer to begin with; `nil` for none.
  public let layer: LayerID?
  /// Whether a copy of ``layer`` with the owners of the container's ID maps would be made first and listed with the image.
  public let needsMappedCopy: Bool
  /// The steps in words, in order.
  public let steps: [String]
  /// What the mount would be; `nil` if that depends on a copy still to be made.
  public let mount: Mount?

  /// A mount of the container.
  public struct Mount: Hashable, Sendable {
    /// The absolute path of the tree.
    public let path: String
    /// The steps in words, in order; empty if the tree needs no mount.
    public let steps: [String]
  }
}

extension ContainerOperations {
  /// What ``create(_:)`` would do now; changes nothing.
  ///
  /// - Throws: as ``create(_:)``, as far as it can be told before.
  public func plan(_ request: ContainerCreation) throws(StorageError) -> ContainerPlan {
    try ContainerPlanning(store: store, request).run()
  }
}
