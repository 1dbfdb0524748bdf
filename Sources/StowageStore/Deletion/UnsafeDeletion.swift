// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageRecords

/// Deletes a container with its layer, or an image's record, or a layer, whatever depends on it (store-semantics 18.5).
struct UnsafeDeletion {
  private let store: Store
  private let nameOrID: String

  init(store: Store, object nameOrID: String) {
    self.store = store
    self.nameOrID = nameOrID
  }

  /// Deletes it.
  ///
  /// - Throws: `layerUnknown` if there is no such object; `corrupt` while records are lost; `system`.
  func run() throws(StorageError) {
    let container = try store.explainingLosses { () throws(StorageError) in
      try store.read([.ownLayers, .ownImages, .containers]) { (access) throws(StorageError) in
        try store.topology.refuseLosses(access.layers, access)
        return access.containers.container(nameOrID)
      }
    }
    if let container {
      return try ContainerDeletion(
        store: store, container: container.id.rawValue, missing: .layerUnknown, force: true, unmounts: true
      )
      .run()
    }
    if try deleteImageRecord() { return }
    try store.free([.ownLayers]) { (access) throws(StorageError) in
      let layers = access.layers
      try store.refuseLosses(layers.reading)
      guard let layer = layers.reading.findPrimary(nameOrID) else {
        throw StorageError(.layerUnknown, subject: nameOrID)
      }
      try layers.delete(layer)
    }
  }

  /// Deletes the record and data of an image, not its layers.
  ///
  /// - Returns: whether there was one.
  private func deleteImageRecord() throws(StorageError) -> Bool {
    // Not the bins of the access: that the data stay is an error here.
    var bins = DeferredRemoval()
    let isDeleted = try store.free([.ownImages], reading: [.ownLayers, .containers]) {
      (access) throws(StorageError) -> Bool in
      try store.topology.refuseLosses(access.reading.layers, access.reading)
      let all = access.images
      for index in all.own {
        let images = all.at(index)
        guard let image = images.reading.find(nameOrID) else { continue }
        try images.remove([image.id], into: &bins)
        return true
      }
      return false
    }
    if isDeleted {
      try bins.flush()
      try bins.empty()
    }
    return isDeleted
  }
}
