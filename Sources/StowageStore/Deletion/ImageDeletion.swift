// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords

/// Deletes an image with the layers that nothing else uses (store-semantics 18.3).
///
/// The layers are tied to the image, then its records go, then the layers. If the process dies after the records are gone,
/// the next opener deletes the layers.
struct ImageDeletion {
  private let store: Store
  private let nameOrID: String
  /// Whether anything is deleted; otherwise it is only told.
  private let commit: Bool
  /// Lets other graph roots that need the image's layers lose them.
  private let force: Bool

  init(store: Store, image nameOrID: String, commit: Bool, force: Bool) {
    self.store = store
    self.nameOrID = nameOrID
    self.commit = commit
    self.force = force
  }

  /// What the deletion means.
  private struct Plan: Sendable {
    /// The image.
    let id: ImageID
    /// Positions of the stores that have it.
    let stores: Set<Int>
    /// Layers that go with it, in order of deletion.
    let layers: [LayerID]
  }

  /// Deletes it.
  ///
  /// - Parameter check: a last look at the layers to be deleted, under the locks; what it throws stops the deletion.
  /// - Returns: the layers that are, or would be, deleted, top first.
  /// - Throws: `notAnImage`, `imageUsedByContainer`; `system`; what `check` throws.
  func run(check: DeletionCheck<(ImagesView, [LayerID])> = { _, _ in }) throws(StorageError) -> [LayerID] {
    try store.free([.ownLayers]) { (access) throws(StorageError) -> [LayerID] in
      let layers = access.layers
      let needs = try store.needs(layers.reading, force: force)
      let plan = try store.read([.images, .containers]) { (access) throws(StorageError) -> Plan in
        let plan = try self.plan(access, layers.reading, needs)
        try check((access.images, plan.layers), layers.reading)
        return plan
      }
      if !commit { return plan.layers }
      // The image lock was given up in between, but nobody can make or delete a user of these layers: that takes the
      // layer lock, which is held.
      try layers.deletePins(needs.idlePins, over: plan.layers)
      try layers.tie(plan.layers, LayerTie(.image, plan.id.rawValue))
      try store.write([.ownImages]) { (access) throws(StorageError) in
        let all = access.images
        for index in plan.stores.sorted() {
          let images = all.at(index)
          if images.reading[plan.id] != nil { try layers.bins.remove([plan.id], from: images) }
        }
      }
      try layers.delete(plan.layers, areTied: true)
      if force { layers.endNeeds(of: Set(plan.layers)) }
      return plan.layers
    }
  }

  private func plan(
    _ access: borrowing StoreReading, _ layers: borrowing LayersReading, _ needs: LayerNeeds
  ) throws(StorageError) -> Plan {
    let view = access.images
    var id: ImageID?
    for (table, isWritable) in zip(view.tables, view.isWritable) where isWritable && id == nil {
      id = table.resolve(nameOrID)
    }
    guard let id else { throw StorageError(.notAnImage, subject: nameOrID) }
    // Those of the other mode, transient or not, are containers as well.
    let containers = try store.topology.containersOfOtherMode() + access.containers.records
    if let user = containers.last(where: { $0.image == id }) {
      throw StorageError(.imageUsedByContainer, subject: id.rawValue).wrapped("image used by \(user.id)")
    }
    let own = view.own(id, store.topology, layers)
    let isShared = view.shared(store.topology)?[id] != nil
    if let use = needs.foreign.user(of: view.tables.compactMap { $0[id] }, isShared: isShared) {
      throw StorageError(.imageUsedByContainer, subject: id.rawValue).wrapped("image used by \(use.user)")
    }
    var gone = GoneObjects()
    let list = gone.add(id, tops: own.tops, needs, layers)
    return Plan(id: id, stores: own.stores, layers: list.map(\.id))
  }
}

extension ImagesView {
  /// The images that other graph roots may name.
  func shared(_ topology: StoreTopology) -> RecordTable<ImageRecord>? {
    tables.indices.first { topology.role(ofImageStore: $0) == topology.sharedRole }.map { tables[$0] }
  }
}
