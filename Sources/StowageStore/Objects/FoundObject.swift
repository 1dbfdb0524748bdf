// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageRecords

/// What layers, images and containers have in common.
struct FoundObject: Sendable {
  /// The full identifier.
  let id: String
  /// The names, in order.
  let names: [String]
  /// The text of the caller.
  let metadata: String

  /// Looks for a layer, image or container by identifier, name or unique identifier prefix, in this order.
  ///
  /// - Throws: `missing` if there is none.
  init(_ nameOrID: String, in store: Store, missing: StorageError.Code) throws(StorageError) {
    let layer = try store.read([.layers]) { (access) throws(StorageError) in access.layers.find(nameOrID)?.record }
    if let layer {
      (id, names, metadata) = (layer.id.rawValue, layer.names, layer.metadata)
      return
    }
    let image = try store.read([.images]) { (access) throws(StorageError) in access.images.find(nameOrID)?.record }
    if let image {
      (id, names, metadata) = (image.id.rawValue, image.names, image.metadata)
      return
    }
    let container = try store.read([.containers]) { (access) throws(StorageError) in
      access.containers.container(nameOrID)
    }
    guard let container else { throw StorageError(missing, subject: nameOrID) }
    (id, names, metadata) = (container.id.rawValue, container.names, container.metadata)
  }
}
