// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// Deletes all containers, images and layers, newest layers first, then what the driver still lists (store-semantics 18.6).
/// Additional image stores are not touched.
struct Wipe {
  private let store: Store
  /// Lets other graph roots that need layers or images lose them, and deletes what was kept when records were restored; else
  /// nothing at all is deleted then.
  private let force: Bool

  init(store: Store, force: Bool) {
    self.store = store
    self.force = force
  }

  /// Deletes everything.
  ///
  /// - Throws: `layerHasChildren`, `imageUsedByContainer`, `layerUsedByContainer`, with nothing deleted, if another graph root
  ///   needs something; `corrupt`, with nothing deleted, while records are lost, or something is kept that was not restored;
  ///   `system`.
  func run() throws(StorageError) {
    try store.free([.ownLayers]) { (access) throws(StorageError) in
      let layers = access.layers
      try store.refuseLosses(layers.reading)
      let kept = try keptCopies(layers.reading)
      if !force {
        let needs = try store.needs(layers.reading)
        try checkNobodyElse(needs)
        try checkNothingKept(kept, needs.standing(layers.reading), layers.reading)
      }
      try store.write([.containers]) { (access) throws(StorageError) in
        let containers = access.containers
        try tieLayers(of: containers.reading.records, layers)
        try layers.bins.remove(containers.reading.records.map(\.id), from: containers)
      }
      try store.write([.ownImages]) { (access) throws(StorageError) in
        let all = access.images
        for index in all.own {
          let images = all.at(index)
          try layers.bins.remove(images.reading.records.map(\.id), from: images)
        }
      }
      let all = layers.reading.everyLayer()
      try layers.delete(all.sorted { $0.record.created > $1.record.created })
      for home in store.topology.layerHomes {
        for name in try layers.driver.listLayers(in: home.root) {
          guard let id = LayerID(recorded: name) else { continue }
          try layers.removeUnrecorded(id, home)
        }
      }
      if force {
        layers.endNeeds(of: nil)
        // What they kept is gone.
        for loss in kept { if case .restored(let copy) = loss.state { try removeTree(FilePath(copy)) } }
      }
    }
  }

  /// Ties the containers' layers to them: if the process dies when their records are gone, the next opener deletes their data,
  /// too.
  private func tieLayers(
    of containers: [ContainerRecord], _ layers: borrowing LayersWriting
  ) throws(StorageError) {
    if containers.isEmpty { return }
    layers.change { table in
      for container in containers {
        let tie = LayerTie(.container, container.id.rawValue)
        table.update(container.layer) { $0.tie = tie }
      }
    }
    try layers.save()
  }

  private func keptCopies(_ layers: borrowing LayersReading) throws(StorageError) -> [RecordLoss] {
    try RecordLosses(store.topology, layers.driver).all.filter { !$0.isPending }
  }

  /// Refuses to delete layers that no record names, as long as something says that they may be somebody's: they were kept for a
  /// person to decide.
  private func checkNothingKept(
    _ kept: [RecordLoss], _ needed: Set<LayerID>, _ layers: borrowing LayersReading
  ) throws(StorageError) {
    var (unproven, files): (Set<LayerID>, [String]) = ([], [])
    func keep(_ ids: Set<LayerID>, _ losses: [RecordLoss]) {
      if ids.isEmpty || losses.isEmpty { return }
      unproven.formUnion(ids)
      for case .restored(let copy) in losses.map(\.state) { files.append(copy) }
    }
    // A layer that is recorded may be that of an image or a container which is not, and a tree that of a layer.
    keep(Set(layers.everyLayer().map(\.id)).subtracting(needed), kept.filter { $0.kind != .layers })
    for home in store.topology.layerHomes {
      let trees = Set(try layers.driver.listLayers(in: home.root).compactMap { LayerID(recorded: $0) })
      keep(
        trees.filter { layers.primary($0) == nil }, kept.filter { $0.kind == .layers && $0.root == home.root })
    }
    guard let first = unproven.min() else { return }
    let subject = unproven.count == 1 ? "layer \(first)" : "\(unproven.count) layers (the first is \(first))"
    throw StorageError(
      .corrupt,
      "no record names \(subject), which may belong to what was not restored of \(files.joined(separator: ", ")): to delete "
        + "all the same use --force, or delete \(files.count == 1 ? "that file" : "these files")", path: files.first)
  }

  private func checkNobodyElse(_ needs: LayerNeeds) throws(StorageError) {
    if let (layer, need) = needs.firstForeign { throw need.refusal(of: layer, named: true) }
    try store.read([.ownImages]) { (access) throws(StorageError) in
      for image in access.images.shared(store.topology)?.records ?? [] {
        guard let use = needs.foreign.byImage[image.id]?.first else { continue }
        throw StorageError(.imageUsedByContainer, subject: image.id.rawValue)
          .wrapped("image \(image.id) used by \(use.user)")
      }
    }
  }
}
