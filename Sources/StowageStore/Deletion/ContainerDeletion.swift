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
  /// Whether the layer goes even if something else is made of it.
  private let force: Bool

  init(
    store: Store, container nameOrID: String, missing: StorageError.Code = .notAContainer, force: Bool = false
  ) {
    self.store = store
    self.nameOrID = nameOrID
    self.missing = missing
    self.force = force
  }

  /// Deletes it.
  ///
  /// - Parameter check: a last look at the container, under the locks; what it throws stops the deletion.
  /// - Throws: the code for a missing one; `layerHasChildren`, `layerUsedByImage` if others are built on its layer; `corrupt` while records are lost; `system`; what `check` throws.
  func run(check: DeletionCheck<ContainerRecord> = { _, _ in }) throws(StorageError) {
    try store.free([.ownLayers, .containers], reading: .ownImages) { (access) throws(StorageError) in
      let layers = access.layers
      let containers = access.containers
      try store.topology.refuseLosses(layers.reading, access.reading)
      guard let container = containers.reading.container(nameOrID) else {
        throw StorageError(missing, subject: nameOrID)
      }
      try check(container, layers.reading)
      let layer = layers.reading.primary(container.layer)
      if let layer {
        if !force, let need = otherNeed(of: layer, layers.reading, access.reading.images) {
          throw need.refusal(of: layer.id, named: true)
        }
        try layers.unmountFully(layer)
        try layers.tie([layer.id], LayerTie(.container, container.id.rawValue))
      }
      try removeTree(store.topology.containers.runDirectory.appending(container.id.rawValue))
      try layers.bins.remove([container.id], from: containers)
      if let layer { try layers.delete([layer], areTied: true) }
    }
  }

  /// Who would lose the container's files with it: an image or a layer that was made of its layer.
  private func otherNeed(
    of layer: FoundLayer, _ layers: borrowing LayersReading, _ images: ImagesView
  ) -> LayerNeed? {
    if let child = layers.children(of: layer).first { return .child(child) }
    let image = images.tables.lazy.flatMap(\.records).first { $0.topLayers.contains(layer.id) }
    return image.map { .image($0.id) }
  }
}
