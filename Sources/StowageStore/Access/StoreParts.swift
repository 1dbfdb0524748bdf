// SPDX-License-Identifier: Apache-2.0

/// Parts of a store that are locked together; see ``Store/read(_:_:)`` and ``Store/write(_:reading:_:)``.
public struct StoreParts: OptionSet, Hashable, Sendable {
  /// One bit per part.
  public let rawValue: UInt16

  /// Takes bits as they are.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Layers, those of additional stores included.
  public static let layers: StoreParts = [ownLayers, StoreParts(rawValue: 2)]
  /// Images, those of additional stores included.
  public static let images: StoreParts = [ownImages, StoreParts(rawValue: 8)]
  /// Containers.
  public static let containers = StoreParts(rawValue: 16)

  /// Layers of the graph root and the image store.
  static let ownLayers = StoreParts(rawValue: 1)
  /// Images of the graph root and the image store.
  static let ownImages = StoreParts(rawValue: 4)
  /// The driver's set-up: for what mounts, cleans up, or needs a driver that nobody shuts down meanwhile.
  static let driver = StoreParts(rawValue: 32)
  /// ID ranges of user namespaces, from their choice until the container that has them is recorded.
  static let idRanges = StoreParts(rawValue: 64)
}
