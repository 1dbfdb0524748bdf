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
  /// Whether it goes even if it is mounted.
  private let unmounts: Bool

  init(
    store: Store, container nameOrID: String, missing: StorageError.Code = .notAContainer, force: Bool = false,
    unmounts: Bool
  ) {
    self.store = store
    self.nameOrID = nameOrID
    self.missing = missing
    self.force = force
    self.unmounts = unmounts
  }

  /// Deletes it.
  ///
  /// - Parameter check: a last look at the container, under the locks; what it throws stops the deletion.
  /// - Throws: the code for a missing one; `layerHasChildren`, `layerUsedByImage` if others are built on its layer; `corrupt` while records are lost; `busy` if it is mounted; `system`; what `check` throws.
  func run(check: DeletionCheck<ContainerRecord> = { _, _ in }) throws(StorageError) {
    try store.free([.ownLayers, .containers], reading: .ownImages) { (access) throws(StorageError) in
      let layers = access.layers
      let containers = access.containers
      try store.topology.refuseLosses(layers.reading, access.reading)
      guard let container = containers.reading.container(nameOrID) else {
        throw StorageError(missing, subject: nameOrID)
      }
      try check(container, layers.reading)
      if !unmounts, let mount = layers.reading.mountInUse(of: container.layer) {
        throw container.refusal(whileMounted: mount)
      }
      let layer = layers.reading.primary(container.layer)
      if let layer {
        if !force, let need = layer.needBesideContainer(layers.reading, access.reading.images) {
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
}

extension FoundLayer {
  /// Who else needs the own layer of a container: an image or a layer that was made of it.
  func needBesideContainer(_ layers: borrowing LayersReading, _ images: ImagesView) -> LayerNeed? {
    if let child = layers.children(of: self).first { return .child(child) }
    let image = images.tables.lazy.flatMap(\.records).first { $0.topLayers.contains(id) }
    return image.map { .image($0.id) }
  }
}

extension ContainerRecord {
  /// What messages call it: its first name, else its identifier.
  var title: String { names.first.map(goQuoted) ?? id.rawValue }

  /// What is thrown when it was to be deleted while it is mounted: its files are in use.
  func refusal(whileMounted mount: MountRecord) -> StorageError {
    let users = TreeUser.all(of: FilePath(mount.path))
    let holders = users.isEmpty ? "" : " and used by \(users.prefix(3).map(\.description).joined(separator: ", "))"
    return StorageError(
      .busy,
      "container \(title) is mounted at \(mount.path)\(holders): unmount it first, or use --force to delete it all the same",
      subject: id.rawValue, path: mount.path)
  }
}
