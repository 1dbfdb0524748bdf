// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// What a name of a store stands for.
public enum StoredObject: Sendable {
  /// A container.
  case container(ContainerRecord)
  /// An image.
  case image(ImageInfo)
  /// A layer.
  case layer(LayerInfo)

  /// Which of them an object is; the raw value is its name in messages.
  public enum Kind: String, Sendable, CaseIterable {
    /// A container.
    case container
    /// An image.
    case image
    /// A layer.
    case layer
  }

  /// Which of them it is.
  public var kind: Kind {
    switch self {
    case .container: .container
    case .image: .image
    case .layer: .layer
    }
  }

  /// The identifier.
  public var id: String {
    switch self {
    case .container(let container): container.id.rawValue
    case .image(let image): image.id.rawValue
    case .layer(let layer): layer.id.rawValue
    }
  }

  /// The names.
  public var names: [String] {
    switch self {
    case .container(let container): container.names
    case .image(let image): image.record.names
    case .layer(let layer): layer.record.names
    }
  }
}
