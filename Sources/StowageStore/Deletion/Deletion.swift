// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// A last look at what is to be deleted, when the locks are held.
typealias DeletionCheck<Subject> = (Subject, borrowing LayersReading) throws(StorageError) -> Void

extension Store {
  // MARK: Layers

  /// Deletes a layer after looking for dependents among layers, images of all writable stores and containers
  /// (store-semantics 18.2). The text is resolved first, so names and prefixes are as safe as identifiers.
  ///
  /// - Parameters:
  ///   - force: lets other graph roots that need the layer lose it.
  ///   - check: a last look at what is to be deleted, under the locks; what it throws stops the deletion.
  func deleteLayer(
    _ nameOrID: String, force: Bool, check: DeletionCheck<FoundLayer> = { _, _ in }
  ) throws(StorageError) {
    try write([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      guard let layer = layers.reading.findPrimary(nameOrID) else {
        throw StorageError(.notALayer, subject: nameOrID)
      }
      if !force, let use = try ForeignUses(topology, removesStale: true)[layer.id].first {
        throw StorageError(.layerHasChildren, subject: layer.id.rawValue).wrapped("used by \(use.user)")
      }
      if !force { try layers.reading.checkNotMountedElsewhere(layer.id) }
      try check(layer, layers.reading)
      try layers.deletePins(layers.reading.idlePins(force: force), over: [layer.id])
      try self.checkUnused(layer, layers.reading)
      do throws(StorageError) { try layers.delete(layer) } catch { throw error.wrapped("delete layer \(layer.id)") }
      try self.forgetMappedLayer(layer.id)
    }
  }

  private func checkUnused(_ layer: FoundLayer, _ layers: borrowing LayersReading) throws(StorageError) {
    let id = layer.id
    if let child = layers.ask({ $0.children(of: id) }).first {
      throw StorageError(.layerHasChildren, subject: id.rawValue).wrapped("used by layer \(child)")
    }
    try read([.images, .containers]) { (access) throws(StorageError) in
      let view = access.images
      for (table, isWritable) in zip(view.tables, view.isWritable) where isWritable {
        if let image = table.records.first(where: { $0.layer == id }) {
          throw StorageError(.layerUsedByImage, subject: id.rawValue).wrapped("layer \(id) used by image \(image.id)")
        }
      }
      if let container = access.containers.records.first(where: { $0.layer == id }) {
        throw StorageError(.layerUsedByContainer, subject: id.rawValue)
          .wrapped("layer \(id) used by container \(container.id)")
      }
    }
  }

  /// Takes a deleted layer off the lists of mapped top layers.
  private func forgetMappedLayer(_ id: LayerID) throws(StorageError) {
    let isListed = try read([.ownImages]) { (access) throws(StorageError) in
      access.images.tables.contains { table in table.records.contains { $0.mappedLayers.contains(id) } }
    }
    if !isListed { return }
    try write([.ownImages]) { (access) throws(StorageError) in
      let all = access.images
      for index in all.own {
        let images = all.at(index)
        for image in images.reading.records where image.mappedLayers.contains(id) {
          try images.update(image.id) { $0.mappedLayers.removeAll { $0 == id } }
        }
      }
    }
  }

  /// Deletes layers one after the other; one failure does not stop the others (store-semantics 27.1.7). Layers that are
  /// gone already are fine.
  func deleteLayers(_ ids: [LayerID], _ layers: borrowing LayersWriting) throws(StorageError) {
    var failures: [StorageError] = []
    for id in ids {
      guard let layer = layers.reading.primary(id) else { continue }
      do throws(StorageError) { try layers.delete(layer) } catch { failures.append(error) }
    }
    guard let first = failures.first else { return }
    throw StorageError(
      first.code, failures.map(\.message).joined(separator: "\n"), subject: first.subject, path: first.path,
      cause: first.cause)
  }

  // MARK: Images

  /// What the deletion of an image means.
  private struct ImageRemoval: Sendable {
    /// The image.
    let id: ImageID
    /// Positions of the stores that have it.
    let stores: Set<Int>
    /// Layers that go with it, in order of deletion.
    let layers: [LayerID]
  }

  /// Deletes an image with the layers that nothing else uses (store-semantics 18.3).
  ///
  /// - Parameters:
  ///   - force: lets other graph roots that need the image's layers lose them.
  ///   - check: a last look at the layers to be deleted, under the locks; what it throws stops the deletion.
  /// - Returns: the deleted layers, top first.
  func deleteImage(
    _ nameOrID: String, commit: Bool, force: Bool, check: DeletionCheck<(ImagesView, [LayerID])> = { _, _ in }
  ) throws(StorageError) -> [LayerID] {
    try write([.ownLayers]) { (access) throws(StorageError) -> [LayerID] in
      let layers = access.layers
      let foreign = force ? ForeignUses() : try ForeignUses(topology, removesStale: commit)
      let pins = layers.reading.idlePins(force: force)
      let removal = try self.read([.images]) { (access) throws(StorageError) -> ImageRemoval in
        let view = access.images
        let removal = try self.planRemoval(nameOrID, view, layers.reading, foreign, pins)
        try check((view, removal.layers), layers.reading)
        return removal
      }
      if !commit { return removal.layers }
      // The image lock was given up in between, but nobody can make or delete a user of these layers: that takes the
      // layer lock, which is held.
      try layers.deletePins(pins, over: removal.layers)
      let tie = LayerTie(.image, removal.id.rawValue)
      try layers.tie(removal.layers, tie)
      try self.write([.ownImages]) { (access) throws(StorageError) in
        let all = access.images
        for index in removal.stores.sorted() {
          let images = all.at(index)
          if images.reading[removal.id] != nil { try layers.bins.remove(removal.id, from: images) }
        }
      }
      try self.deleteLayers(removal.layers, layers)
      return removal.layers
    }
  }

  private func planRemoval(
    _ nameOrID: String, _ view: ImagesView, _ layers: borrowing LayersReading, _ foreign: ForeignUses,
    _ pins: [(pin: LayerID, parent: LayerID)]
  ) throws(StorageError) -> ImageRemoval {
    var id: ImageID?
    for (table, isWritable) in zip(view.tables, view.isWritable) where isWritable && id == nil {
      id = table.resolve(nameOrID)
    }
    guard let id else { throw StorageError(.notAnImage, subject: nameOrID) }
    let containers = try read([.containers]) { (access) throws(StorageError) in access.containers.records }
    if let user = containers.last(where: { $0.image == id }) {
      throw StorageError(.imageUsedByContainer, subject: id.rawValue).wrapped("image used by \(user.id)")
    }
    var own: [FoundLayer] = []
    var uses = LayerUses(ids: Set(containers.map(\.layer)).union(foreign.byParent.keys))
    var stores: Set<Int> = []
    for (index, table) in view.tables.enumerated() where view.isWritable[index] {
      let home = topology.role(ofImageStore: index)
      for record in table.records {
        // Mapped copies first, then the top layer.
        let tops = (record.mappedLayers + (record.layer.map { [$0] } ?? [])).compactMap { layers.find($0, near: home) }
        if record.id == id {
          stores.insert(index)
          own += tops
        } else {
          uses.locations.formUnion(tops.map(\.location))
        }
      }
    }
    let isShared = self.sharedImages(view)?[id] != nil
    if let use = foreign.user(of: view.tables.compactMap { $0[id] }, isShared: isShared) {
      throw StorageError(.imageUsedByContainer, subject: id.rawValue).wrapped("image used by \(use.user)")
    }
    return ImageRemoval(id: id, stores: stores, layers: removableLayers(own, uses, layers, Set(pins.map(\.pin))))
  }

  /// The images that other graph roots may name.
  private func sharedImages(_ view: ImagesView) -> RecordTable<ImageRecord>? {
    view.tables.indices.first { topology.role(ofImageStore: $0) == topology.sharedRole }.map { view.tables[$0] }
  }

  /// Which layers something else than the image to be deleted needs.
  private struct LayerUses {
    /// Layers of containers, here and elsewhere.
    let ids: Set<LayerID>
    /// Top layers of other images, each in the store where that image finds it.
    var locations: Set<LayerLocation> = []

    func contain(_ layer: FoundLayer) -> Bool { ids.contains(layer.id) || locations.contains(layer.location) }
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

  // MARK: Containers

  /// Deletes a container with its layer and directories (store-semantics 18.4).
  ///
  /// The layer is unmounted and tied to the record first; then the record goes, then the layer. If the process dies
  /// after the record is gone, the next opener deletes the layer.
  ///
  /// - Parameter check: a last look at the container, under the locks; what it throws stops the deletion.
  func deleteContainer(
    _ nameOrID: String, missing: StorageError.Code = .notAContainer,
    check: DeletionCheck<ContainerRecord> = { _, _ in }
  ) throws(StorageError) {
    try write([.ownLayers, .containers]) { (access) throws(StorageError) in
      let layers = access.layers
      let containers = access.containers
      guard let container = containers.reading.container(nameOrID) else {
        throw StorageError(missing, subject: nameOrID)
      }
      try check(container, layers.reading)
      let layer = layers.reading.primary(container.layer)
      if let layer {
        try layers.unmountFully(layer)
        try layers.tie([layer.id], LayerTie(.container, container.id.rawValue))
      }
      try removeTree(self.topology.containers.runDirectory.appending(container.id.rawValue))
      try layers.bins.remove(container.id, from: containers)
      if let layer { try layers.delete(layer) }
    }
  }

  // MARK: Anything

  /// Deletes a container with its layer, or an image's record, or a layer, whatever depends on it (store-semantics
  /// 18.5).
  func deleteAnything(_ nameOrID: String) throws(StorageError) {
    let container = try read([.containers]) { (access) throws(StorageError) in
      access.containers.container(nameOrID)
    }
    if let container { return try deleteContainer(container.id.rawValue, missing: .layerUnknown) }
    if try deleteImageRecord(nameOrID) { return }
    try write([.ownLayers]) { (access) throws(StorageError) in
      let layers = access.layers
      guard let layer = layers.reading.findPrimary(nameOrID) else {
        throw StorageError(.layerUnknown, subject: nameOrID)
      }
      try layers.delete(layer)
    }
  }

  /// Deletes the record and data of an image, not its layers.
  ///
  /// - Returns: whether there was one.
  private func deleteImageRecord(_ nameOrID: String) throws(StorageError) -> Bool {
    var bins = DeferredRemoval()
    let isDeleted = try write([.ownImages]) { (access) throws(StorageError) -> Bool in
      let all = access.images
      for index in all.own {
        let images = all.at(index)
        guard let image = images.reading.find(nameOrID) else { continue }
        try images.remove(image.id, into: &bins)
        return true
      }
      return false
    }
    if isDeleted { try bins.empty() }
    return isDeleted
  }

  /// Deletes all containers, images and layers, newest layers first, then what the driver still lists
  /// (store-semantics 18.6). Additional image stores are not touched.
  ///
  /// - Parameter force: lets other graph roots that need layers or images lose them; else nothing at all is deleted then.
  func deleteEverything(force: Bool) throws(StorageError) {
    try write([.ownLayers]) { (access) throws(StorageError) in
      let layers = access.layers
      if !force {
        try self.checkNobodyElse(try ForeignUses(topology, removesStale: true))
        try layers.reading.checkNotMountedElsewhere()
      }
      try self.write([.containers]) { (access) throws(StorageError) in
        let containers = access.containers
        for container in containers.reading.records {
          try layers.bins.remove(container.id, from: containers)
        }
      }
      try self.write([.ownImages]) { (access) throws(StorageError) in
        let all = access.images
        for index in all.own {
          let images = all.at(index)
          for image in images.reading.records { try layers.bins.remove(image.id, from: images) }
        }
      }
      let records = layers.reading.ask { $0.records }
      try self.deleteLayers(records.sorted { $0.created > $1.created }.map(\.id), layers)
      for home in self.topology.layerHomes {
        for name in try layers.driver.listLayers(in: home.root) {
          guard let id = LayerID(recorded: name) else { continue }
          try layers.removeUnrecorded(id, home)
        }
      }
    }
  }

  private func checkNobodyElse(_ foreign: ForeignUses) throws(StorageError) {
    if let (layer, use) = foreign.first {
      throw StorageError(.layerHasChildren, subject: layer.rawValue).wrapped("layer \(layer) used by \(use.user)")
    }
    try read([.images]) { (access) throws(StorageError) in
      let view = access.images
      for image in sharedImages(view)?.records ?? [] {
        guard let use = foreign.byImage[image.id]?.first else { continue }
        throw StorageError(.imageUsedByContainer, subject: image.id.rawValue)
          .wrapped("image \(image.id) used by \(use.user)")
      }
    }
  }
}

extension LayersReading {
  /// Makes sure that no mount of another graph root uses a layer, or any layer, by its old place.
  ///
  /// - Throws: `layerUsedByContainer`.
  fileprivate func checkNotMountedElsewhere(_ id: LayerID? = nil) throws(StorageError) {
    let use = mountedElsewhere().first { id == nil || $0.record.id == id || $0.record.parent == id }
    guard let (record, graphRoot) = use else { return }
    let layer = record.parent ?? record.id
    throw StorageError(.layerUsedByContainer, subject: layer.rawValue)
      .wrapped("layer \(layer) used by mounts of graph root \(graphRoot)")
  }
}
