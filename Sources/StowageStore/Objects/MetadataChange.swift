// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageRecords

/// Replaces the metadata of a layer, image or container of this store, looked for in this order.
struct MetadataChange {
  private let store: Store
  private let nameOrID: String
  private let metadata: String

  init(store: Store, object nameOrID: String, _ metadata: String) {
    self.store = store
    self.nameOrID = nameOrID
    self.metadata = metadata
  }

  /// Replaces it.
  ///
  /// - Throws: `notAnID` if there is no such object that can be changed; `system`.
  func run() throws(StorageError) {
    for parts in [StoreParts.ownLayers, .ownImages, .containers] {
      let isDone = try store.write(parts) { (access) throws(StorageError) in
        try access.changeMetadata(of: nameOrID, metadata)
      }
      if isDone { return }
    }
    throw StorageError(.notAnID, subject: nameOrID)
  }
}

extension StoreWriting {
  /// Replaces the metadata of a layer, image or container of this store among the parts that may be changed, looked for in
  /// this order.
  ///
  /// - Returns: whether there is such an object.
  func changeMetadata(of nameOrID: String, _ metadata: String) throws(StorageError) -> Bool {
    if changesLayers, let layer = layers.reading.findPrimary(nameOrID) {
      try layers.update(layer.id) { $0.metadata = metadata }
      return true
    }
    if changesImages {
      let all = images
      for index in all.own {
        let images = all.at(index)
        guard let image = images.reading.find(nameOrID) else { continue }
        try images.update(image.id) { record in
          record.metadata = metadata
          record.settleDigest()
        }
        return true
      }
    }
    if changesContainers, let container = containers.reading.container(nameOrID) {
      try containers.update(container.id) { $0.metadata = metadata }
      return true
    }
    return false
  }
}
