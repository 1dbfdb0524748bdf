// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// Deletes a container with its layer and directories (store-semantics 18.4).
///
/// The layer is unmounted and tied to the record first; then the record goes, then the layer. If the process dies
/// after the record is gone, the next opener deletes the layer.
struct ContainerDeletion {
  private let store: Store
  private let nameOrID: String
  /// The code if there is no such container.
  private let missing: StorageError.Code

  init(store: Store, container nameOrID: String, missing: StorageError.Code = .notAContainer) {
    self.store = store
    self.nameOrID = nameOrID
    self.missing = missing
  }

  /// Deletes it.
  ///
  /// - Parameter check: a last look at the container, under the locks; what it throws stops the deletion.
  /// - Throws: the code for a missing one; `system`; what `check` throws.
  func run(check: DeletionCheck<ContainerRecord> = { _, _ in }) throws(StorageError) {
    try store.free([.ownLayers, .containers]) { (access) throws(StorageError) in
      let layers = access.layers
      let containers = access.containers
      guard let container = containers.reading.container(nameOrID) else {
        throw StorageError(missing, subject: nameOrID)
      }
      try check(container, layers.reading)
      let layer = layers.reading.primary(container.layer)
      if let layer {
        try layers.unmountFully(layer)
        try layers.tie([layer.id], LayerTie(.container, container.id.rawValue))
      }
      try removeTree(store.topology.containers.runDirectory.appending(container.id.rawValue))
      try layers.bins.remove([container.id], from: containers)
      if let layer { try layers.delete([layer], areTied: true) }
    }
  }
}
