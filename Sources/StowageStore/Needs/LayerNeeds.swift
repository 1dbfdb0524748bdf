// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
package import StowageModel
internal import StowageRecords

/// Who needs which layer, as of one moment under the locks: layers, images, containers and loads under way here, and other
/// graph roots. What deletes, moves, collects or judges layers asks this.
///
/// What is gathered is direct: that a layer's child is needed is a reason of the child. ``standing(_:)`` follows the chains.
struct LayerNeeds: Sendable {
  /// A reason, and where whoever has it finds the layer.
  private struct Entry: Sendable {
    let need: LayerNeed
    /// Nil: by its name, wherever it is.
    let location: LayerLocation?
    /// Where the chain of layers is followed from.
    let home: LayerLocation.Role?
  }

  private var entries: [LayerID: [Entry]] = [:]
  private var images: Set<ImageID> = []
  private var containers: Set<ContainerID> = []
  /// What other graph roots need.
  let foreign: ForeignUses
  /// Pins that other graph roots or this one still need.
  private let pins: [LayerID]
  /// Pins that keep nobody from deleting what they are over, and go with it.
  let idlePins: [(pin: LayerID, parent: LayerID)]

  /// Gathers all reasons.
  ///
  /// - Parameters:
  ///   - access: must cover images and containers.
  ///   - force: the pins and mounts of other graph roots do not count.
  /// - Throws: `system` if the containers of the other mode, transient or not, cannot be read.
  init(
    _ layers: borrowing LayersReading, _ access: borrowing StoreReading, foreign: ForeignUses, force: Bool = false
  ) throws(StorageError) {
    self.foreign = foreign
    idlePins = layers.idlePins(force: force)
    pins = layers.pins(holding: true).map(\.pin)
    for (layer, uses) in foreign.byParent { for use in uses { add(.foreignUse(use), layer) } }
    let mounted = layers.mountedElsewhere()
    if !force { for use in mounted { addForeignMounts(use.record, use.graphRoot) } }
    addChildren(layers)
    addImages(access.images, layers)
    for container in access.containers.records + (try layers.store.topology.containersOfOtherMode()) {
      containers.insert(container.id)
      add(.container(container.id), container.layer)
    }
    let elsewhere = Set(mounted.map(\.record.id))
    for record in layers.tiedLayers() where !elsewhere.contains(record.id) {
      if let tie = record.tie { add(.work(tie), record.id) }
    }
  }

  // MARK: Answers

  /// Why the layer of that name must stay, wherever it is in the stores that may be written.
  func reasons(for layer: LayerID) -> [LayerNeed] {
    (entries[layer] ?? []).filter { $0.location?.isWritable ?? true }.map(\.need)
  }

  /// Why a layer must stay where it is.
  func reasons(for layer: FoundLayer) -> [LayerNeed] {
    (entries[layer.id] ?? []).filter { $0.location == nil || $0.location == layer.location }.map(\.need)
  }

  /// All layers for which there is a reason other than a child, in order.
  var layers: [LayerID] {
    entries.filter { $0.value.contains { if case .child = $0.need { false } else { true } } }.keys.sorted()
  }

  /// A layer that another graph root needs, and its need: what is built on a layer before what only shows its files, and then
  /// the first by identifier.
  var firstForeign: (layer: LayerID, need: LayerNeed)? {
    let all = entries.keys.sorted().flatMap { layer in
      (entries[layer] ?? []).filter(\.need.isForeign).map { (layer: layer, need: $0.need) }
    }
    return all.first { if case .foreignUse = $0.need { true } else { false } } ?? all.first
  }

  /// All layers that something needs, pins included, with those that they are built on.
  func standing(_ layers: borrowing LayersReading) -> Set<LayerID> {
    let needed = self.layers
    var seen: Set<LayerLocation> = []
    let tops = needed.flatMap { id in (entries[id] ?? []).map { (id, $0.home) } } + pins.map { ($0, nil) }
    for (id, home) in tops {
      var next = layers.find(id, near: home)
      while let layer = next, seen.insert(layer.location).inserted {
        next = layer.record.parent.flatMap { layers.find($0, near: layer.location.role) }
      }
    }
    return Set(seen.map(\.id)).union(needed)
  }

  /// Whether a layer that a dead process left with a tie is to stay: what it was made for is recorded, or somebody else needs
  /// it. Its children do not count: they have ties of their own.
  func keeps(_ layer: FoundLayer, tiedTo tie: LayerTie) -> Bool {
    switch tie.kind {
    case .image: if images.contains(where: { $0.rawValue.hasSameBytes(as: tie.id) }) { return true }
    case .container: if containers.contains(where: { $0.rawValue.hasSameBytes(as: tie.id) }) { return true }
    case .mounts, .mapping, .content, .relocation: break
    }
    return reasons(for: layer).contains(where: \.isLasting)
  }

  // MARK: Gathering

  private mutating func add(
    _ need: LayerNeed, _ layer: LayerID, at location: LayerLocation? = nil, home: LayerLocation.Role? = nil
  ) {
    entries[layer, default: []].append(Entry(need: need, location: location, home: home))
  }

  /// A layer that stays only for mounts of another graph root, and what it was put over to keep it.
  private mutating func addForeignMounts(_ record: LayerRecord, _ graphRoot: String) {
    add(.foreignMounts(graphRoot: graphRoot), record.id)
    if let parent = record.parent { add(.foreignMounts(graphRoot: graphRoot), parent) }
  }

  private mutating func addChildren(_ layers: borrowing LayersReading) {
    let idle = Set(idlePins.map(\.pin))
    let topology = layers.store.topology
    // With one home only there is nothing to be looked up.
    let roles = topology.layerHomes.count > 1 ? topology.layers.documents.map(\.role) : []
    for (record, file) in layers.ask({ $0.recordsByFile }) where !idle.contains(record.id) {
      guard let parent = record.parent else { continue }
      let role = file < roles.count ? roles[file] : nil
      add(.child(record.id), parent, at: role.flatMap { layers.find(parent, near: $0)?.location })
    }
  }

  private mutating func addImages(_ view: ImagesView, _ layers: borrowing LayersReading) {
    for (index, table) in view.tables.enumerated() {
      let home = layers.store.topology.role(ofImageStore: index)
      for record in table.records {
        images.insert(record.id)
        for copy in record.mappedLayers {
          add(.mappedCopy(of: record.id), copy, at: layers.find(copy, near: home)?.location, home: home)
        }
        guard let top = record.layer else { continue }
        add(.image(record.id), top, at: layers.find(top, near: home)?.location, home: home)
      }
    }
  }
}

extension Store {
  /// Who needs the layers, as of now. Takes the locks of images and containers.
  ///
  /// - Parameter force: other graph roots do not count.
  /// - Throws: `corrupt` for a damaged registration, and while records are lost that may name layers; `system`.
  func needs(
    _ layers: borrowing LayersReading, force: Bool = false
  ) throws(StorageError) -> LayerNeeds {
    let foreign = force ? ForeignUses() : try ForeignUses(topology)
    return try readAllImages { (access) throws(StorageError) in
      try topology.refuseLosses(layers, access)
      return try LayerNeeds(layers, access, foreign: foreign, force: force)
    }
  }
}

extension StoreTopology {
  /// The volatile containers of the other mode, transient or not, as far as their file can be read. Their layers may be recorded
  /// in a file of this mode since that of theirs was lost.
  func containersOfOtherMode() throws(StorageError) -> [ContainerRecord] {
    var found: [ContainerRecord] = []
    for path in volatileContainers where !containers.documents.contains(path) {
      found += try RecordDocument<ContainerRecord>.readable(at: path).records
    }
    return found
  }
}

extension Store {
  /// Refuses to go on while records are lost that could name what is to be deleted. Takes the locks of images and containers.
  ///
  /// - Throws: `corrupt`; `system`.
  func refuseLosses(_ layers: borrowing LayersReading) throws(StorageError) {
    try readAllImages { (access) throws(StorageError) in try topology.refuseLosses(layers, access) }
  }

  /// Reads images and containers. Images of an additional store whose records are damaged are built on layers there, and must
  /// not keep anybody from deleting others here.
  private func readAllImages<R>(
    _ body: (borrowing StoreReading) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    do throws(StorageError) { return try read([.images, .containers], body) } catch {
      if error.code != .corrupt || topology.additionalRoots.isEmpty { throw error }
      return try read([.ownImages, .containers], body)
    }
  }
}

extension LayerOperations {
  /// Why a layer is needed: `used by image 0123…` and the like; empty if it is not.
  ///
  /// - Throws: `layerUnknown`; `corrupt` for a damaged registration of another graph root; `system`.
  package func needs(of nameOrID: String) throws(StorageError) -> [String] {
    try store.read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      guard let layer = layers.findPrimary(nameOrID) else { throw StorageError(.layerUnknown, subject: nameOrID) }
      return try store.needs(layers).reasons(for: layer.id).map(\.text)
    }
  }
}
