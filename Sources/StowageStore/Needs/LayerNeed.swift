// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel

/// A reason for which a layer must stay.
enum LayerNeed: Hashable, Sendable {
  /// A layer of this store is built on it. Pins that hold nothing do not count.
  case child(LayerID)
  /// It is an image's top layer.
  case image(ImageID)
  /// An image lists it as its top layer with other owners. Such a copy can be made again.
  case mappedCopy(of: ImageID)
  /// A container writes to it.
  case container(ContainerID)
  /// A layer of another graph root is built on it.
  case foreignUse(ForeignUse)
  /// It has files that mounts of another graph root show.
  case foreignMounts(graphRoot: String)
  /// A process that lives makes an image or a container of it, or mounts here show its files.
  case work(LayerTie)

  /// Whether it is another graph root that needs the layer.
  var isForeign: Bool {
    switch self {
    case .foreignUse, .foreignMounts: true
    case .child, .image, .mappedCopy, .container, .work: false
    }
  }

  /// Whether what needs the layer goes, too.
  func ends(with gone: GoneObjects) -> Bool {
    switch self {
    case .child(let id): gone.layers.contains(id)
    case .image(let id), .mappedCopy(let id): gone.images.contains(id)
    case .container(let id): gone.containers.contains(id)
    case .work(let tie): gone.ties.contains(tie)
    case .foreignUse, .foreignMounts: false
    }
  }

  /// Whether it keeps a layer that another place has, too, where it is.
  ///
  /// - Parameters:
  ///   - isShared: whether the place is an image store: a child in a graph root finds what left for there, not the reverse.
  ///   - leaving: layers that leave the place, too.
  func holds(inShared isShared: Bool, leaving: Set<LayerID>) -> Bool {
    switch self {
    case .child(let id): isShared && !leaving.contains(id)
    case .work: true
    // These are told by name before.
    case .image, .mappedCopy, .container, .foreignUse, .foreignMounts: false
    }
  }

  /// Whether a layer that a dead process left is somebody's because of it. A child's tie decides for its parent, too.
  var isLasting: Bool {
    switch self {
    case .image, .mappedCopy, .container, .foreignUse, .foreignMounts: true
    case .child, .work: false
    }
  }

  /// Whether the layer can be made again for who needs it, who forgets it when it is deleted.
  var canBeForgotten: Bool { if case .mappedCopy = self { true } else { false } }

  /// `used by image 0123…`.
  var text: String {
    switch self {
    case .child(let id): "used by layer \(id)"
    case .image(let id), .mappedCopy(let id): "used by image \(id)"
    case .container(let id): "used by container \(id)"
    case .foreignUse(let use): "used by \(use.user)"
    case .foreignMounts(let graphRoot): "used by mounts of graph root \(graphRoot)"
    case .work(let tie):
      switch tie.kind {
      case .image, .mapping: "used by image \(tie.id), which is being made"
      case .container: "used by container \(tie.id), which is being made"
      case .mounts: "used by mounts"
      case .content, .relocation: "used by a process that changes it"
      }
    }
  }

  /// What is thrown when a layer was to go for which this is a reason to stay. Texts: store-semantics 18.2.
  ///
  /// - Parameter named: the text names the layer in any case: more than this one was to go.
  func refusal(of layer: LayerID, named: Bool = false) -> StorageError {
    let error = StorageError(code, subject: layer.rawValue)
    return error.wrapped(code == .layerHasChildren && !named ? text : "layer \(layer) \(text)")
  }

  private var code: StorageError.Code {
    switch self {
    case .child, .foreignUse: .layerHasChildren
    case .image, .mappedCopy: .layerUsedByImage
    case .container, .foreignMounts: .layerUsedByContainer
    case .work(let tie): tie.kind == .image || tie.kind == .mapping ? .layerUsedByImage : .layerUsedByContainer
    }
  }
}
