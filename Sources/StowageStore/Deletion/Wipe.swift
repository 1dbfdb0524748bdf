// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords

/// Deletes all containers, images and layers, newest layers first, then what the driver still lists (store-semantics 18.6).
/// Additional image stores are not touched.
struct Wipe {
  private let store: Store
  /// Lets other graph roots that need layers or images lose them; else nothing at all is deleted then.
  private let force: Bool

  init(store: Store, force: Bool) {
    self.store = store
    self.force = force
  }

  /// Deletes everything.
  ///
  /// - Throws: `layerHasChildren`, `imageUsedByContainer`, `layerUsedByContainer`, with nothing deleted, if another graph root
  ///   needs something; `corrupt`, with nothing deleted, while records are lost; `system`.
  func run() throws(StorageError) {
    try store.free([.ownLayers]) { (access) throws(StorageError) in
      let layers = access.layers
      try store.topology.refuseLosses(layers.driver)
      if !force { try checkNobodyElse(try store.needs(layers.reading)) }
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
      if force { layers.endNeeds(of: nil) }
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

  private func checkNobodyElse(_ needs: LayerNeeds) throws(StorageError) {
    if let (layer, need) = needs.firstForeign { throw need.refusal(of: layer, named: true) }
    try store.read([.images]) { (access) throws(StorageError) in
      for image in access.images.shared(store.topology)?.records ?? [] {
        guard let use = needs.foreign.byImage[image.id]?.first else { continue }
        throw StorageError(.imageUsedByContainer, subject: image.id.rawValue)
          .wrapped("image \(image.id) used by \(use.user)")
      }
    }
  }
}
