// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// All records at one moment, with the layers that images and containers stand on.
struct CheckSnapshot: Sendable {
  /// An image and where it is.
  struct Image: Sendable {
    let record: ImageRecord
    let store: Int
    /// Top layers and all their ancestors, each once.
    let layers: [LayerID]
    /// Layers among these that are recorded nowhere.
    let missing: [LayerID]
    /// Whether one of these has a tree in another program's form: then only its record is missing.
    let keepsMissing: Bool
  }

  /// A container.
  struct Container: Sendable {
    let record: ContainerRecord
    let isLayerRecorded: Bool
    /// Whether the driver has the tree of the layer.
    let hasTree: Bool
    /// Whether all layers below it are recorded; else what it was made from is, or was, in a store that is not at hand.
    let isChainRecorded: Bool
    let layers: [LayerID]
  }

  let subjects: [LayerSubject]
  let images: [Image]
  let containers: [Container]
  /// Layers that are needed, with what they are built on.
  let needed: Set<LayerID>

  init(_ store: Store) throws(StorageError) {
    self = try store.read([.layers, .images, .containers]) { (access) throws(StorageError) in
      try CheckSnapshot(store, access)
    }
  }

  private init(_ store: Store, _ access: borrowing StoreReading) throws(StorageError) {
    let layers = access.layers
    subjects = layers.subjects()
    var seen: Set<ImageID> = []
    var images: [Image] = []
    for (index, table) in access.images.tables.enumerated() {
      for record in table.records where seen.insert(record.id).inserted {
        let tops = (record.layer.map { [$0] } ?? []) + record.mappedLayers
        let below = layers.standing(on: tops, near: store.topology.role(ofImageStore: index))
        images.append(
          Image(
            record: record, store: index, layers: below.known, missing: below.missing,
            keepsMissing: below.missing.contains { layers.hasForeignTree($0) }))
      }
    }
    self.images = images
    let driver = layers.driver
    var containers: [Container] = []
    for record in access.containers.records {
      let place = LayerLocation(id: record.layer, role: .graphRoot, root: store.topology.roots.graphRoot)
      let below = layers.standing(on: [record.layer], near: nil)
      containers.append(
        Container(
          record: record, isLayerRecorded: layers.find(record.layer) != nil, hasTree: try driver.exists(place),
          isChainRecorded: below.missing.isEmpty, layers: below.known))
    }
    self.containers = containers
    let foreign = try ForeignUses(store.topology)
    needed = try LayerNeeds(layers, access, foreign: foreign).standing(layers)
  }
}

extension LayersReading {
  /// Layers with all their ancestors, each once; and those that are recorded nowhere.
  fileprivate func standing(
    on tops: [LayerID], near home: LayerLocation.Role?
  ) -> (known: [LayerID], missing: [LayerID]) {
    var known: [LayerID] = []
    var missing: [LayerID] = []
    var seen: Set<LayerID> = []
    for top in tops {
      var (next, role): (LayerID?, LayerLocation.Role?) = (top, home)
      while let id = next, seen.insert(id).inserted {
        guard let layer = find(id, near: role) else {
          missing.append(id)
          break
        }
        known.append(id)
        (next, role) = (layer.record.parent, layer.location.role)
      }
    }
    return (known, missing)
  }
}
