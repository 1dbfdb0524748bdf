// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// The records of a store as of one moment, with what keeps its layers, as far as it matters for the space they take.
struct SpaceSnapshot: Sendable {
  /// An image of the store's own.
  struct Image: Sendable {
    let record: ImageRecord
    /// Its layers in the graph root and the image store, mapped copies too.
    let layers: [LayerID]
    /// The containers made from it.
    let containers: [ContainerID]
    /// Whether it cannot be deleted.
    let isInUse: Bool
  }

  /// Images of the graph root and the image store; one that both have is one.
  private(set) var images: [Image] = []
  let containers: [ContainerRecord]
  /// Layers of the graph root and the image store; one that both have is one.
  private(set) var layers: [LayerRecord] = []
  /// Mounted layers.
  let mounted: Set<LayerID>
  /// Layers that would stay if all images went that can be deleted.
  private(set) var needed: Set<LayerID> = []
  /// Layers that something needs, be it an image that nobody uses.
  let standing: Set<LayerID>
  /// Which paths belong to what.
  private(set) var owners = SpaceOwners()

  init(_ store: Store, _ layers: borrowing LayersReading, _ access: borrowing StoreReading) throws(StorageError) {
    let topology = store.topology
    // Records that are lost keep nobody from seeing what is there: unlike a deletion, this does not refuse to go on.
    let needs = try LayerNeeds(layers, access, foreign: ForeignUses(topology))
    let view = access.images
    containers = access.containers.records
    standing = needs.standing(layers)
    mounted = Set(layers.mounts.layers)
    addImages(view, layers, needs, topology)
    addLayers(layers, topology)
    keep(layers, needs)
    addPlaces(topology, layers.driver)
  }

  private mutating func addImages(
    _ view: ImagesView, _ layers: borrowing LayersReading, _ needs: LayerNeeds, _ topology: StoreTopology
  ) {
    let shared = view.shared(topology)
    var seen: Set<ImageID> = []
    for (index, table) in view.tables.enumerated() {
      let role = topology.role(ofImageStore: index)
      if case .additionalImageStore = role { continue }
      for record in table.records where seen.insert(record.id).inserted {
        let users = containers.filter { $0.image == record.id }.map(\.id)
        let twins = view.tables.compactMap { $0[record.id] }
        let isInUse = !users.isEmpty || needs.foreign.user(of: twins, isShared: shared?[record.id] != nil) != nil
        images.append(
          Image(
            record: record, layers: chains(of: record.topLayers, near: role, layers), containers: users,
            isInUse: isInUse))
      }
    }
  }

  /// Layers and all below them, each once, those of additional stores left out.
  private func chains(
    of tops: [LayerID], near role: LayerLocation.Role?, _ layers: borrowing LayersReading
  ) -> [LayerID] {
    var (list, seen): ([LayerID], Set<LayerID>) = ([], [])
    for top in tops {
      var next = layers.find(top, near: role)
      while let layer = next, seen.insert(layer.id).inserted {
        if layer.location.isWritable { list.append(layer.id) }
        next = layer.record.parent.flatMap { layers.find($0, near: layer.location.role) }
      }
    }
    return list
  }

  private mutating func addLayers(_ layers: borrowing LayersReading, _ topology: StoreTopology) {
    var seen: Set<LayerID> = []
    for layer in layers.everyLayer() {
      if seen.insert(layer.id).inserted { self.layers.append(layer.record) }
      owners.add(.layer(layer.id), layers.driver.directory(of: layer.location))
      for path in topology.dataPaths(of: layer.id) { owners.add(.layer(layer.id), path) }
    }
  }

  /// What stays without the images that can be deleted: a layer's reasons but these, and whatever is built on it.
  private mutating func keep(_ layers: borrowing LayersReading, _ needs: LayerNeeds) {
    let kept = Set(images.filter(\.isInUse).map(\.record.id))
    let ofImages = Set(images.flatMap(\.layers))
    let idle = Set(needs.idlePins.map(\.pin))
    var tops: [LayerID] = []
    for layer in self.layers where !idle.contains(layer.id) {
      let isNeeded = needs.reasons(for: layer.id).contains { need in
        switch need {
        case .child: false
        case .image(let id), .mappedCopy(let id): kept.contains(id)
        case .container, .foreignUse, .foreignMounts, .work: true
        }
      }
      // A layer of no image stays until somebody deletes it, and so does what it is built on.
      if isNeeded || !ofImages.contains(layer.id) { tops.append(layer.id) }
    }
    needed = Set(chains(of: tops, near: nil, layers))
  }

  private mutating func addPlaces(_ topology: StoreTopology, _ driver: any GraphDriver) {
    for image in images {
      for path in topology.paths(of: image.record.id) { owners.add(.image(image.record.id), path) }
    }
    for container in containers {
      for path in topology.paths(of: container.id) { owners.add(.container(container.id), path) }
    }
    let staging = topology.layerHomes.map { $0.root.appending(topology.driverName).appending("staging") }
    for path in topology.bins + driver.traits.temporaryRoots + staging { owners.add(.underWay, path) }
  }

  /// States what is left over. Must come last: it may be a file of something that is recorded.
  mutating func add(_ leftovers: [Leftover]) {
    for leftover in leftovers {
      owners.add(.leftover(leftover.kind, path: leftover.path), FilePath(leftover.path))
    }
  }
}

extension StoreTopology {
  /// Where a layer may have files beside its tree.
  func dataPaths(of layer: LayerID) -> [FilePath] {
    layers.dataSearch.flatMap { [$0.tarSplit(of: layer), $0.items(of: layer)] }
  }

  /// Where an image may have files in the stores that may be written.
  func paths(of image: ImageID) -> [FilePath] {
    let own = images.indices.filter { if case .additionalImageStore = role(ofImageStore: $0) { false } else { true } }
    var paths: [FilePath] = []
    for directory in own.map({ images[$0].directory }) + [imageDirectory, imageRunDirectory] {
      let path = directory.appending(image.rawValue)
      if !paths.contains(path) { paths.append(path) }
    }
    return paths
  }

  /// Where a container may have files, but for its layer.
  func paths(of container: ContainerID) -> [FilePath] {
    [containers.directory, containers.runDirectory].map { $0.appending(container.rawValue) }
  }
}
