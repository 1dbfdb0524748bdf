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

  /// What keeps layers.
  private struct Ground {
    let foreign: ForeignUses
    let pins: [(pin: LayerID, parent: LayerID)]
  }

  /// Which layers something else than the image needs.
  private struct LayerUses {
    /// Layers of containers, here and elsewhere.
    let ids: Set<LayerID>
    /// Top layers of other images, each in the store where that image finds it.
    var locations: Set<LayerLocation> = []

    func contain(_ layer: FoundLayer) -> Bool { ids.contains(layer.id) || locations.contains(layer.location) }
  }

  /// Deletes it.
  ///
  /// - Parameter check: a last look at the layers to be deleted, under the locks; what it throws stops the deletion.
  /// - Returns: the layers that are, or would be, deleted, top first.
  /// - Throws: `notAnImage`, `imageUsedByContainer`; `system`; what `check` throws.
  func run(check: DeletionCheck<(ImagesView, [LayerID])> = { _, _ in }) throws(StorageError) -> [LayerID] {
    try store.write([.ownLayers]) { (access) throws(StorageError) -> [LayerID] in
      let layers = access.layers
      let ground = Ground(
        foreign: force ? ForeignUses() : try ForeignUses(store.topology, removesStale: commit),
        pins: layers.reading.idlePins(force: force))
      let plan = try store.read([.images, .containers]) { (access) throws(StorageError) -> Plan in
        let plan = try self.plan(access, layers.reading, ground)
        try check((access.images, plan.layers), layers.reading)
        return plan
      }
      if !commit { return plan.layers }
      // The image lock was given up in between, but nobody can make or delete a user of these layers: that takes the
      // layer lock, which is held.
      try layers.deletePins(ground.pins, over: plan.layers)
      try layers.tie(plan.layers, LayerTie(.image, plan.id.rawValue))
      try store.write([.ownImages]) { (access) throws(StorageError) in
        let all = access.images
        for index in plan.stores.sorted() {
          let images = all.at(index)
          if images.reading[plan.id] != nil { try layers.bins.remove(plan.id, from: images) }
        }
      }
      try layers.delete(plan.layers)
      return plan.layers
    }
  }

  private func plan(
    _ access: borrowing StoreReading, _ layers: borrowing LayersReading, _ ground: Ground
  ) throws(StorageError) -> Plan {
    let view = access.images
    var id: ImageID?
    for (table, isWritable) in zip(view.tables, view.isWritable) where isWritable && id == nil {
      id = table.resolve(nameOrID)
    }
    guard let id else { throw StorageError(.notAnImage, subject: nameOrID) }
    let containers = access.containers.records
    if let user = containers.last(where: { $0.image == id }) {
      throw StorageError(.imageUsedByContainer, subject: id.rawValue).wrapped("image used by \(user.id)")
    }
    var own: [FoundLayer] = []
    var uses = LayerUses(ids: Set(containers.map(\.layer)).union(ground.foreign.byParent.keys))
    var stores: Set<Int> = []
    for (index, table) in view.tables.enumerated() where view.isWritable[index] {
      let home = store.topology.role(ofImageStore: index)
      for record in table.records {
        // Mapped copies first, then the top layer.
        let tops = record.topLayers.compactMap { layers.find($0, near: home) }
        if record.id == id {
          stores.insert(index)
          own += tops
        } else {
          uses.locations.formUnion(tops.map(\.location))
        }
      }
    }
    let isShared = view.shared(store.topology)?[id] != nil
    if let use = ground.foreign.user(of: view.tables.compactMap { $0[id] }, isShared: isShared) {
      throw StorageError(.imageUsedByContainer, subject: id.rawValue).wrapped("image used by \(use.user)")
    }
    return Plan(id: id, stores: stores, layers: removableLayers(own, uses, layers, Set(ground.pins.map(\.pin))))
  }

  /// From each top layer downward until somebody else needs a layer. A layer that another one of that name hides is left.
  private func removableLayers(
    _ tops: [FoundLayer], _ uses: LayerUses, _ layers: borrowing LayersReading, _ pins: Set<LayerID>
  ) -> [LayerID] {
    var children: [LayerID: [LayerID]] = [:]
    layers.ask { table in
      table.forEach { record, _ in if let parent = record.parent { children[parent, default: []].append(record.id) } }
    }
    var list: [LayerID] = []
    var listed: Set<LayerID> = []
    func isFree(_ layer: FoundLayer) -> Bool {
      !uses.contain(layer) && (children[layer.id] ?? []).allSatisfy { listed.contains($0) || pins.contains($0) }
        && layers.primary(layer.id)?.location == layer.location
    }
    for top in tops {
      var next: FoundLayer? = top
      while let layer = next, !listed.contains(layer.id), isFree(layer) {
        list.append(layer.id)
        listed.insert(layer.id)
        next = layer.record.parent.flatMap { layers.find($0, near: layer.location.role) }
      }
    }
    return list
  }
}

extension ImagesView {
  /// The images that other graph roots may name.
  func shared(_ topology: StoreTopology) -> RecordTable<ImageRecord>? {
    tables.indices.first { topology.role(ofImageStore: $0) == topology.sharedRole }.map { tables[$0] }
  }
}
