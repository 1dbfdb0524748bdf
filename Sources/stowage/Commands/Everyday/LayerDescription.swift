// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// A layer as document (docs/json.md) and for templates.
struct LayerDescription {
  let layer: LayerInfo
  let size: Int64?
  /// The images that it is part of.
  let images: [ImageRecord]
  /// The container that it is the own layer of.
  let container: ContainerRecord?
  let children: [LayerID]
  private let root: String?

  init(_ layer: LayerInfo, _ view: StoreView) {
    self.layer = layer
    size = view.sizes.size(of: layer.id)
    root = view.root(of: layer.id)
    images = view.sizes.images(with: layer.id)
    container = view.snapshot.containers.first { $0.layer == layer.id }
    children = view.snapshot.layers.filter { $0.record.parent == layer.id }.map(\.id)
  }

  var document: JSONValue {
    let record = layer.record
    return .object([
      .init("kind", .string("layer")), .init("id", .string(layer.id.rawValue)), .init("names", .texts(record.names)),
      .init("parent", .optional(record.parent?.rawValue)), .init("created", .time(record.created)),
      .init("size", .optional(size)), .init("diff-digest", .optional(record.diffDigest?.description)),
      .init("compressed-digest", .optional(record.compressedDiffDigest?.description)),
      .init("compressed-size", record.compressedDiffDigest == nil ? .null : .integer(record.compressedSize)),
      .init("toc-digest", .optional(record.tocDigest?.description)),
      .init("mount-point", .optional(layer.mountPoint)), .init("mount-count", .integer(layer.mountCount)),
      .init("read-only", .bool(layer.isReadOnly)), .init("root", .optional(root)),
      .init("images", .texts(images.map(\.id.rawValue))),
      .init("container", .optional(container?.id.rawValue)), .init("children", .texts(children.map(\.rawValue))),
    ])
  }

  var fields: JSONValue {
    let record = layer.record
    return .object([
      .init("Id", .string(layer.id.rawValue)), .init("Names", .texts(record.names)),
      .init("Parent", .optional(record.parent?.rawValue)), .init("Created", .time(record.created)),
      .init("Size", .optional(size)), .init("DiffDigest", .optional(record.diffDigest?.description)),
      .init("MountPoint", .optional(layer.mountPoint)), .init("ReadOnly", .bool(layer.isReadOnly)),
      .init("Images", .texts(images.map(\.id.rawValue))), .init("Children", .texts(children.map(\.rawValue))),
    ])
  }
}
