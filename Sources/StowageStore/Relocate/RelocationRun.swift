// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

extension ImageOperations {
  /// Moves images and their layers between the graph root and the image store, while containers that use them go on.
  ///
  /// Every layer is copied without a lock, sharing data where the file system can, and appears in the target at once; then the
  /// images' records move; then the layers leave the source, unless something there still needs them. A layer that running
  /// containers of this graph root use is set aside and deleted when they are unmounted. After a failure or a crash every image
  /// is whole in one of the places, and the same call goes on where it stopped.
  ///
  /// - Parameters:
  ///   - names: the images; `nil` for all that the source has.
  ///   - isDryRun: only tells what would be done.
  ///   - isCancelled: is asked between layers and files.
  /// - Throws: `usage` without an image store; `imageUnknown`, `readOnlyStore`, `duplicateID`; `cancelled`; `system`.
  public func relocate(
    _ names: [String]? = nil, to target: RelocationTarget, isDryRun: Bool = false,
    progress: (@Sendable (Relocation.Progress) -> Void)? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(StorageError) -> Relocation {
    try RelocationRun(store: store, names, to: target, progress: progress, isCancelled: isCancelled).run(
      isDryRun: isDryRun)
  }
}

/// A move of images and their layers; see ``ImageOperations/relocate(_:to:isDryRun:progress:isCancelled:)``.
private struct RelocationRun {
  private let store: Store
  private let target: RelocationTarget
  private let names: [String]?
  private let progress: (@Sendable (Relocation.Progress) -> Void)?
  private let isCancelled: (@Sendable () -> Bool)?

  init(
    store: Store, _ names: [String]?, to target: RelocationTarget,
    progress: (@Sendable (Relocation.Progress) -> Void)?, isCancelled: (@Sendable () -> Bool)?
  ) {
    self.store = store
    self.target = target
    self.names = names
    self.progress = progress
    self.isCancelled = isCancelled
  }

  func run(isDryRun: Bool) throws(StorageError) -> Relocation {
    var plan = try RelocationPlanning(store: store, names, to: target).run()
    var report = Relocation(plan, target)
    var attempts = 0
    while !isDryRun {
      attempts += 1
      try copyLayers(plan)
      if try moveImages(plan) { break }
      // Somebody who does not see the images yet has deleted a layer from the target again.
      if attempts == 3 { throw StorageError(.busy, "layers vanish from the target while they are copied: start again") }
      plan = try RelocationPlanning(store: store, plan.images.map(\.record.id.rawValue), to: target).run()
      report = Relocation(plan, target)
    }
    let remaining = try leaveSource(plan, isDryRun: isDryRun)
    for index in report.layers.indices { report.layers[index].remains = remaining[report.layers[index].id] }
    return report
  }

  // MARK: Layers into the target

  /// Copies what the target lacks, parents first.
  private func copyLayers(_ plan: RelocationPlan) throws(StorageError) {
    for (index, entry) in plan.layers.enumerated() {
      if isCancelled?() == true { throw StorageError(.cancelled) }
      let record = entry.layer.record
      let tell = { (isDone: Bool) in
        progress?(
          Relocation.Progress(
            layer: record.id, index: index, count: plan.layers.count,
            size: record.diffDigest == nil ? -1 : record.diffSize, isDone: isDone))
      }
      if entry.isCopied {
        tell(false)
        try copyLayer(entry.layer, to: plan.target)
      } else {
        try requireTree(of: record.id, at: plan.target)
      }
      tell(true)
    }
  }

  /// Makes sure that a layer which is recorded in the target is there, before the source gives its own up.
  ///
  /// - Throws: `corrupt`.
  private func requireTree(of id: LayerID, at role: LayerLocation.Role) throws(StorageError) {
    try store.read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      guard let copy = layers.layer(id, at: role), try !layers.driver.exists(copy.location) else { return }
      throw StorageError(
        .corrupt, "layer \(id) is recorded in the target but has lost its tree there: load its image there again",
        subject: id.rawValue)
    }
  }

  /// Copies a layer into the other store. The copy is made in staging there; only its publication takes the locks.
  private func copyLayer(_ layer: FoundLayer, to role: LayerLocation.Role) throws(StorageError) {
    let driver = try store.drivers.current()
    guard let root = store.topology.layerHomes.first(where: { $0.role == role })?.root,
      let tree = try driver.contentRoots(of: layer.location, over: []).first
    else { return }
    let before = try store.read([.layers]) { (access) throws(StorageError) in LayerState(of: layer, access.layers) }
    let cancellation = CancellationFlag()
    if isCancelled?() == true { cancellation.cancel() }
    var staged: StagedLayer? = try driver.stage(over: [], targetRoot: root, LayerCreateOptions())
    if let place = staged?.tree {
      do throws(StorageError) {
        try copyTree(
          from: tree, to: place,
          options: CopyOptions(
            inUserNamespace: isInUserNamespace, syncsFiles: driver.syncPolicy == .eachFile, cancellation: cancellation))
      } catch {
        // A copy of what others are deleting fails anywhere; the reason is worth more than the place.
        try store.read([.layers]) { (access) throws(StorageError) in _ = try unchanged(layer, before, access.layers) }
        throw error
      }
      if driver.syncPolicy == .fileSystem { try syncFileSystem(of: place) }
    }
    try store.write([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      // Another process was faster.
      if layers.reading.layer(layer.id, at: role) != nil { return }
      let now = try unchanged(layer, before, layers.reading)
      try layers.publish(now, at: LayerLocation(id: layer.id, role: role, root: root), &staged)
    }
  }

  /// The layer as it is now, if it is what it was.
  ///
  /// - Throws: `busy`.
  private func unchanged(
    _ layer: FoundLayer, _ before: LayerState, _ layers: borrowing LayersReading
  ) throws(StorageError) -> FoundLayer {
    if let now = layers.layer(layer.id, at: layer.location.role), LayerState(of: now, layers) == before { return now }
    throw StorageError(.busy, "layer \(layer.id) changed while it was copied: start again", subject: layer.id.rawValue)
  }

  // MARK: Images

  /// Moves the images if all of their layers are in the target; with the layer locks held nobody can take one away.
  ///
  /// - Returns: whether they were.
  private func moveImages(_ plan: RelocationPlan) throws(StorageError) -> Bool {
    try store.write([.layers]) { (access) throws(StorageError) -> Bool in
      let layers = access.layers
      for entry in plan.layers where layers.reading.layer(entry.layer.id, at: plan.target) == nil { return false }
      let foreign = try ForeignUses(store.topology)
      // From now on containers here may name images there.
      if plan.target == .imageStore { try layers.store.register(layers) }
      for image in plan.images { try moveImage(image.record.id, plan, foreign, layers.bins) }
      return true
    }
  }

  /// Moves an image's record and items: first they are in the target, then they leave the source. An image that another
  /// graph root's container is made of stays in the image store, too: its record is what that container refers to.
  private func moveImage(
    _ id: ImageID, _ plan: RelocationPlan, _ foreign: ForeignUses, _ bins: RemovalBins
  ) throws(StorageError) {
    try store.write([.images]) { (access) throws(StorageError) in
      let all = access.images
      let indices = all.view.tables.indices
      guard let source = indices.first(where: { store.topology.role(ofImageStore: $0) == plan.source }),
        let target = indices.first(where: { store.topology.role(ofImageStore: $0) == plan.target })
      else { return }
      let from = all.at(source)
      let to = all.at(target)
      guard let record = from.reading[id] else { return }
      if to.reading[id] == nil {
        let items = record.bigDataNames.compactMap { key in
          BigDataFiles.read(key, of: id.rawValue, in: from.store.directory).map { BigDataItem(key: key, bytes: $0) }
        }
        try to.ensureFile()
        try BigDataFiles.write(items, of: id.rawValue, in: to.store.directory, kind: "image")
        try to.append(record)
      }
      let tops = record.topLayers
      let isNamed = foreign.byImage[id] != nil || tops.contains { !foreign[$0].isEmpty }
      if plan.source == .imageStore, isNamed { return }
      try bins.remove([id], from: from)
    }
  }

  // MARK: Layers out of the source

  /// Lets layers leave the source, children first; tells why others stay.
  private func leaveSource(_ plan: RelocationPlan, isDryRun: Bool) throws(StorageError) -> [LayerID: String] {
    var remaining: [LayerID: String] = [:]
    for entry in plan.layers.reversed() {
      let id = entry.layer.id
      let reason = try store.write([.layers]) { (access) throws(StorageError) -> String? in
        let layers = access.layers
        guard let old = layers.reading.layer(id, at: plan.source) else { return nil }
        if let reason = try need(of: old, plan, layers.reading, isDryRun: isDryRun) {
          if !isDryRun { try layers.hold(old) }
          return reason
        }
        if isDryRun || layers.reading.layer(id, at: plan.target) == nil { return nil }
        try layers.leave(old)
        return nil
      }
      if let reason { remaining[id] = reason }
    }
    return remaining
  }

  /// Why a layer must stay in the source; `nil` if nothing there needs it. What stands on it in the source counts, too, and an
  /// image store must be whole without this graph root.
  private func need(
    of layer: FoundLayer, _ plan: RelocationPlan, _ layers: borrowing LayersReading, isDryRun: Bool
  ) throws(StorageError) -> String? {
    let isShared = plan.source == .imageStore
    let needs = try store.needs(layers, force: !isShared).reasons(for: layer)
    if isShared, let need = needs.first(where: \.isForeign) { return need.text }
    let moving = isDryRun ? Set(plan.images.map(\.record.id)) : []
    if let image = try image(standingOn: layer, layers, except: moving) {
      return "used by image \(image.names.first.map { goQuoted($0) } ?? image.id.rawValue)"
    }
    let leaving = isDryRun ? Set(plan.layers.map(\.layer.id)) : []
    return needs.first { $0.holds(inShared: isShared, leaving: leaving) }?.text
  }

  /// An image of the source that has a layer among its own.
  private func image(
    standingOn layer: FoundLayer, _ layers: borrowing LayersReading, except moving: Set<ImageID>
  ) throws(StorageError) -> ImageRecord? {
    let source = layer.location.role
    return try store.read([.images]) { (access) throws(StorageError) -> ImageRecord? in
      let view = access.images
      for (index, table) in view.tables.enumerated() where store.topology.role(ofImageStore: index) == source {
        for record in table.records where !moving.contains(record.id) {
          for top in record.topLayers {
            guard let found = layers.find(top, near: source) else { continue }
            if found.id == layer.id { return record }
            if try layers.ancestors(of: found).contains(where: { $0.id == layer.id }) { return record }
          }
        }
      }
      return nil
    }
  }
}
