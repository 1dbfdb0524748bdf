// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageRecords

/// A last look at what is to be deleted, when the locks are held.
typealias DeletionCheck<Subject> = (Subject, borrowing LayersReading) throws(StorageError) -> Void

/// Deletes a layer after looking for dependents among layers, images of all writable stores and containers
/// (store-semantics 18.2). The text is resolved first, so names and prefixes are as safe as identifiers.
///
/// All is done under the layer locks. After a failure the layer is there; after a crash it is, or the next opener ends it.
struct LayerDeletion {
  private let store: Store
  private let nameOrID: String
  /// Lets other graph roots that need the layer lose it.
  private let force: Bool

  init(store: Store, layer nameOrID: String, force: Bool) {
    self.store = store
    self.nameOrID = nameOrID
    self.force = force
  }

  /// Deletes it.
  ///
  /// - Parameter check: what it throws stops the deletion.
  /// - Throws: `notALayer`, `layerHasChildren`, `layerUsedByImage`, `layerUsedByContainer`; `system`; what `check` throws.
  func run(check: DeletionCheck<FoundLayer> = { _, _ in }) throws(StorageError) {
    do throws(StorageError) { try run(.layers, check) } catch {
      // The layer cannot be one of an additional store whose records are damaged, nor below one there.
      if error.code != .corrupt || store.topology.additionalRoots.isEmpty { throw error }
      try run(.ownLayers, check)
    }
  }

  private func run(_ parts: StoreParts, _ check: DeletionCheck<FoundLayer>) throws(StorageError) {
    try store.free(parts) { (access) throws(StorageError) in
      let layers = access.layers
      // Before the look-up: what is lost is not found.
      let needs = try store.needs(layers.reading, force: force)
      guard let layer = layers.reading.findPrimary(nameOrID) else {
        throw StorageError(.notALayer, subject: nameOrID)
      }
      try check(layer, layers.reading)
      // A copy with other owners is forgotten by its image (store-semantics 18.2).
      if let reason = needs.reasons(for: layer.id).first(where: { !$0.canBeForgotten }) {
        throw reason.refusal(of: layer.id)
      }
      try layers.deletePins(needs.idlePins, over: [layer.id])
      let isForgotten = try forgetMappedLayer(layer.id, layers)
      do throws(StorageError) { try layers.delete([layer], areTied: isForgotten) } catch {
        throw error.wrapped("delete layer \(layer.id)")
      }
      if force { layers.endNeeds(of: [layer.id]) }
    }
  }

  /// Takes a layer off the lists of mapped top layers. It is tied to them before: after a crash it goes if no image lists it.
  ///
  /// - Returns: whether it was on one.
  private func forgetMappedLayer(_ id: LayerID, _ layers: borrowing LayersWriting) throws(StorageError) -> Bool {
    let image = try store.read([.ownImages]) { (access) throws(StorageError) -> ImageID? in
      let view = access.images
      return zip(view.tables, view.isWritable).lazy.filter(\.1).flatMap(\.0.records)
        .first { $0.mappedLayers.contains(id) }?.id
    }
    guard let image else { return false }
    try layers.tie([id], LayerTie(.mapping, image.rawValue))
    try store.write([.ownImages]) { (access) throws(StorageError) in
      let all = access.images
      for index in all.own {
        let images = all.at(index)
        for image in images.reading.records where image.mappedLayers.contains(id) {
          try images.update(image.id) { $0.mappedLayers.removeAll { $0 == id } }
        }
      }
    }
    return true
  }
}

extension StorageError {
  /// One error with the messages of several.
  func joined(with others: some Sequence<StorageError>) -> StorageError {
    StorageError(
      code, ([self] + others).map(\.message).joined(separator: "\n"),
      plain: ([self] + others).map(\.plainMessage).joined(separator: "\n"), subject: subject, path: path, cause: cause)
  }
}
