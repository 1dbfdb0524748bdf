// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords

/// Images and layers to be moved, as they were found under the locks.
struct RelocationPlan: Sendable {
  let target: LayerLocation.Role
  let source: LayerLocation.Role
  var images: [(record: ImageRecord, isMoved: Bool)] = []
  /// Parents before children.
  var layers: [(layer: FoundLayer, isCopied: Bool)] = []

  init(target: RelocationTarget) {
    self.target = target == .imageStore ? .imageStore : .graphRoot
    source = target == .imageStore ? .graphRoot : .imageStore
  }
}

/// Finds images and their layers: all images of the source and what an interrupted move left, if none are named.
struct RelocationPlanning {
  private let store: Store
  private let names: [String]?
  private var plan: RelocationPlan

  init(store: Store, _ names: [String]?, to target: RelocationTarget) {
    self.store = store
    self.names = names
    plan = RelocationPlan(target: target)
  }

  /// Plans as of now.
  ///
  /// - Throws: `usage` without an image store; `imageUnknown`, `readOnlyStore` for images of additional stores, `duplicateID`
  ///   if the target has another layer by the name of one to be moved; `corrupt` while records are lost.
  func run() throws(StorageError) -> RelocationPlan {
    guard store.topology.roots.imageStore != nil else {
      throw StorageError(
        .usage, "there is no image store apart from the graph root: name one with --image-store or imagestore")
    }
    var planning = self
    try store.explainingLosses { () throws(StorageError) in
      try store.read([.layers, .images, .containers]) { (access) throws(StorageError) in
        // Before the look-up: what is lost is not found.
        try store.topology.refuseLosses(access.layers, access)
        try planning.collect(access.images, access.layers)
      }
    }
    return planning.plan
  }

  private mutating func collect(_ view: ImagesView, _ layers: borrowing LayersReading) throws(StorageError) {
    try collectImages(view)
    if names == nil { try collectInterrupted(view, layers) }
    for image in plan.images {
      let home = image.isMoved ? plan.source : plan.target
      for top in image.record.topLayers {
        guard let found = layers.find(top, near: home) else {
          throw StorageError(.layerUnknown, subject: top.rawValue)
        }
        try collectLayers(found, layers)
      }
    }
  }

  private mutating func collectImages(_ view: ImagesView) throws(StorageError) {
    guard let names else {
      for (index, table) in view.tables.enumerated() where store.topology.role(ofImageStore: index) == plan.source {
        for record in table.records { add(record, view) }
      }
      return
    }
    for name in names {
      let found = try view.require(name)
      guard view.isWritable[found.store] else {
        throw StorageError(.readOnlyStore, subject: name)
          .wrapped("image \(goQuoted(name)) is in an additional image store, which is not ours to change")
      }
      add(found.record, view)
    }
  }

  private mutating func add(_ record: ImageRecord, _ view: ImagesView) {
    if plan.images.contains(where: { $0.record.id == record.id }) { return }
    let target = view.tables.indices.first { store.topology.role(ofImageStore: $0) == plan.target }
    let isThere = target.map { view.tables[$0][record.id] != nil } ?? false
    plan.images.append((record, !isThere))
  }

  /// Images that are in the target already, of whose layers some have not left the source.
  private mutating func collectInterrupted(_ view: ImagesView, _ layers: borrowing LayersReading) throws(StorageError) {
    for (index, table) in view.tables.enumerated() where store.topology.role(ofImageStore: index) == plan.target {
      for record in table.records where !plan.images.contains(where: { $0.record.id == record.id }) {
        var isInterrupted = false
        for top in record.topLayers {
          guard let found = layers.find(top, near: plan.target) else { continue }
          for layer in [found] + (try layers.ancestors(of: found))
          where layers.layer(layer.id, at: plan.source) != nil && layers.layer(layer.id, at: plan.target) != nil {
            isInterrupted = true
          }
        }
        if isInterrupted { plan.images.append((record, false)) }
      }
    }
  }

  private mutating func collectLayers(_ top: FoundLayer, _ layers: borrowing LayersReading) throws(StorageError) {
    var chain: [FoundLayer] = [top]
    chain += try layers.ancestors(of: top)
    for layer in chain.reversed() where !plan.layers.contains(where: { $0.layer.id == layer.id }) {
      // What an additional store has is found from either place.
      if !layer.location.isWritable { continue }
      let source = layers.layer(layer.id, at: plan.source)
      let present = layers.layer(layer.id, at: plan.target)
      if let source, let present, source.record.diffDigest != present.record.diffDigest {
        throw StorageError(.duplicateID, subject: layer.id.rawValue)
          .wrapped("the target has another layer \(layer.id) with other content")
      }
      plan.layers.append((source ?? layer, present == nil))
    }
  }
}

extension Relocation {
  init(_ plan: RelocationPlan, _ target: RelocationTarget) {
    self.target = target
    images = plan.images.map { Image(id: $0.record.id, names: $0.record.names, isMoved: $0.isMoved) }
    layers = plan.layers.map { entry in
      let record = entry.layer.record
      return Layer(
        id: record.id, size: record.diffDigest == nil ? -1 : record.diffSize, isCopied: entry.isCopied, remains: nil)
    }
  }
}
