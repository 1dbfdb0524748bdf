// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// An image that a load put into the store, or found there.
public struct LoadedImage: Hashable, Sendable {
  /// The identifier: the hex of the configuration's digest.
  public let id: ImageID
  /// The normalised names this load gave it, in the order of the archive; empty for an unnamed image.
  ///
  /// The last one is first in the image's record (chunked-and-composefs 5.8).
  public let names: [String]
  /// Whether the store had an image with this identifier before.
  public let wasAlreadyPresent: Bool

  /// How `podman load` would report the image: its names, or `sha256:<image ID>` for an unnamed one.
  public var references: [String] { names.isEmpty ? ["sha256:\(id.rawValue)"] : names }
}
