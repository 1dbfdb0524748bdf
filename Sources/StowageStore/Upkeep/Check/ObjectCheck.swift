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
  }

  /// A container.
  struct Container: Sendable {
    let record: ContainerRecord
    let isLayerRecorded: Bool
    /// Whether the driver has the tree of the layer.
    let hasTree: Bool
    let layers: [LayerID]
  }

  let subjects: [LayerSubject]
  let images: [Image]
  let containers: [Container]
  /// Layers that other graph roots, or makers that are still at work, need; with their ancestors.
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
        images.append(Image(record: record, store: index, layers: below.known, missing: below.missing))
      }
    }
    self.images = images
    let driver = layers.driver
    var containers: [Container] = []
    for record in access.containers.records {
      let place = LayerLocation(id: record.layer, role: .graphRoot, root: store.topology.roots.graphRoot)
      containers.append(
        Container(
          record: record, isLayerRecorded: layers.find(record.layer) != nil, hasTree: driver.exists(place),
          layers: layers.standing(on: [record.layer], near: nil).known))
    }
    self.containers = containers
    let foreign = try ForeignUses(store.topology, removesStale: false)
    let pins = layers.pins(holding: true).map(\.pin)
    let tops = foreign.byParent.keys.sorted() + layers.tiedLayers().map(\.id) + pins
    needed = Set(layers.standing(on: tops, near: nil).known)
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

extension Store {
  /// Whether this graph root was used with an image store and is opened without: what is missing may be there.
  var missesImageStore: Bool {
    topology.roots.imageStore == nil && ((try? Identity.read(topology.layers.data.identity)) ?? nil) != nil
  }

  /// The second phase: what is wrong with an image itself.
  func check(_ image: CheckSnapshot.Image) -> [CheckFinding] {
    let title = (imageStores[image.store].isWritable ? "image " : "read-only image ") + image.record.id.rawValue
    var found = checkItems(
      image.record, image.record.id.rawValue, imageStores[image.store].directory, title: title,
      missing: .imageDataMissing, wrong: .imageDataIncorrectSize, kind: "image")
    for layer in image.missing {
      let code = StorageError.Code.imageLayerMissing
      found.append(CheckFinding(code, "\(title): layer \(layer): \(code.text)", missesImageStore ? .none : .deletion))
    }
    return found
  }

  /// The third phase: what is wrong with a container itself.
  func check(_ container: CheckSnapshot.Container, knownImages: Set<ImageID>) -> [CheckFinding] {
    let record = container.record
    let title = "container \(record.id)"
    var found = checkItems(
      record, record.id.rawValue, topology.containers.directory, title: title, missing: .containerDataMissing,
      wrong: .containerDataIncorrectSize, kind: "container")
    if let image = record.image, !knownImages.contains(image) {
      // The container itself may be whole: only the record of what it was made from is gone.
      let code = StorageError.Code.containerImageMissing
      found.append(CheckFinding(code, "image \(image): \(code.text)", .none))
    }
    if !container.isLayerRecorded {
      let code = StorageError.Code.layerMissing
      let text = "\(title): layer \(record.layer): \(code.text)"
      found.append(CheckFinding(code, text, container.hasTree || missesImageStore ? .none : .deletion))
    }
    return found
  }

  private func checkItems(
    _ record: some BigDataRecord, _ id: String, _ directory: FilePath, title: String, missing: StorageError.Code,
    wrong: StorageError.Code, kind: String
  ) -> [CheckFinding] {
    record.bigDataNames.compactMap { key in
      let title = "\(title): data item \(goQuoted(key))"
      switch ItemState(of: try? BigDataFiles.path(key, of: id, in: directory, kind: kind)) {
      case .missing: return CheckFinding(missing, "\(title): \(missing.text)")
      case .unreadable(let error): return CheckFinding(.system, "\(title): \(error.message)", .none)
      case .readable(let size):
        let isRight = Int64(size) == record.bigDataSizes[key] ?? 0
        return isRight ? nil : CheckFinding(wrong, "\(title): \(wrong.text)")
      }
    }
  }
}
