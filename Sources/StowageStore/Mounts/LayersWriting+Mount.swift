// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageMounts
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

extension LayersWriting {
  /// Presents a layer and counts it. See ``LayersReading/mount(_:_:beforehand:)``.
  func mount(_ layer: FoundLayer, _ options: MountOptions) throws(StorageError) -> String {
    try reading.mount(layer, options) { restoreLinks(of: $0) }
  }

  /// Takes one from a layer's count, or all with `force`, and ends the mount at zero.
  /// See ``LayersReading/unmount(_:force:isConditional:)``.
  @discardableResult
  func unmount(_ layer: FoundLayer, force: Bool, isConditional: Bool = false) throws(StorageError) -> Bool {
    let remains = try reading.unmount(layer, force: force, isConditional: isConditional)
    // Its parents may have moved while it was mounted, when its list could not follow.
    if !remains, store.topology.roots.imageStore != nil, let chain = try? reading.chain(of: layer) {
      restoreLinks(of: LayerChain(layer: layer.location, parents: chain))
    }
    return remains
  }

  /// Unmounts a layer as often as it is counted.
  func unmountFully(_ layer: FoundLayer) throws(StorageError) {
    if reading.mounts[layer.id] == nil { return }
    try unmount(layer, force: true)
  }
}

/// The layer locks must be held exclusively for ``mount(_:_:beforehand:)`` and ``unmount(_:force:isConditional:)``, or the store
/// be one that nobody can change: counts are in the run root, and have a lock of their own.
extension LayersReading {
  /// Presents a layer and counts it (on-disk-format 11.3).
  ///
  /// If the layer is counted and really mounted, only the count grows and the options are ignored. A count that
  /// outlived its mount starts again at 1.
  ///
  /// - Parameter beforehand: called with the chain before it is really mounted.
  func mount(
    _ layer: FoundLayer, _ options: MountOptions, beforehand: (LayerChain) -> Void = { _ in }
  ) throws(StorageError) -> String {
    // A layer with all content of its ancestors can be presented without them.
    let ancestors = driver.traits.copiesParent ? [] : try ancestors(of: layer)
    let chain = driver.traits.copiesParent ? knownChain(of: layer) : ancestors.map(\.location)
    var options = options
    options.mappedLayers = mappedLayers(layer, ancestors)
    var undo = false
    do throws(StorageError) {
      return try store.mounts.change(self) { (ledger) throws(StorageError) -> String in
        let known = ledger[layer.id]
        if let known, MountTable.isMountPoint(FilePath(known.path)) {
          ledger.set(layer.id, path: known.path, count: increment(known.count))
          return known.path
        }
        beforehand(LayerChain(layer: layer.location, parents: chain))
        let plan = try driver.mountPlan(for: layer.location, over: chain, options)
        undo = try MountExecutor.perform(plan) == .done && plan.hasMount
        let path = plan.mountPoint.lexicallyNormalized().string
        // Without real mounts there is nothing to compare the count with: it goes on growing, as in the reference.
        ledger.set(layer.id, path: path, count: plan.hasMount ? 1 : increment(known?.count ?? 0))
        return path
      }
    } catch {
      // The error that led here is told.
      if undo { _ = try? MountExecutor.perform(driver.unmountPlan(for: layer.location)) }
      throw error
    }
  }

  /// Takes one from a layer's count, or all with `force`, and ends the mount at zero.
  ///
  /// - Returns: whether the layer is still mounted.
  /// - Throws: `layerNotMounted` if `isConditional` and the count is 0; otherwise a layer that is not mounted is none's
  ///   failure.
  @discardableResult
  func unmount(_ layer: FoundLayer, force: Bool, isConditional: Bool = false) throws(StorageError) -> Bool {
    try store.mounts.change(self) { (ledger) throws(StorageError) -> Bool in
      let known = ledger[layer.id]
      if isConditional, known == nil { throw StorageError(.layerNotMounted, subject: layer.id.rawValue) }
      if let known, known.count > 1, !force {
        ledger.set(layer.id, path: known.path, count: known.count - 1)
        return true
      }
      let plan = driver.unmountPlan(for: layer.location)
      if let known { try unmountElsewhere(FilePath(known.path), plan.mountPoint) }
      try MountExecutor.perform(plan)
      ledger.set(layer.id, path: "", count: 0)
      return false
    }
  }

  /// Ends the mount of a layer whose record is gone, as another graph root may delete an image of a shared store that is mounted
  /// here: nothing but the count knows of it.
  ///
  /// - Throws: `layerUnknown` if what is counted is no place of this store for that layer: the file may say anything.
  func unmountLost(_ id: LayerID) throws(StorageError) {
    try store.mounts.change(self) { (ledger) throws(StorageError) in
      guard let known = ledger[id] else { return }
      let path = FilePath(known.path).lexicallyNormalized()
      let roots = store.topology.layerHomes.map(\.root) + [store.topology.roots.runRoot]
      guard driver.traits.hasKernelMounts, roots.contains(where: { path.starts(with: $0) }),
        path.components.contains(where: { $0.string == id.rawValue })
      else { throw StorageError(.layerUnknown, subject: id.rawValue) }
      if MountTable.isMountPoint(path) { try MountExecutor.unmount(path) }
      ledger.set(id, path: "", count: 0)
    }
  }

  /// The mount of a layer that somebody may use: what is counted as mounted, unless it can be shown to be nowhere. A count outlives
  /// its mount if that was ended by hand.
  func mountInUse(of id: LayerID) -> MountRecord? {
    guard let mount = mounts[id] else { return nil }
    // Without mounts, or without the rights to look into all namespaces, the count is all that is known.
    if !driver.traits.hasKernelMounts || isInUserNamespace { return mount }
    return MountsAnywhere.mayContain(mount.path, layer: id) ? mount : nil
  }

  /// Ends a mount that was made through another path to the same graph root, as a bind mount of it is one: there the mount point
  /// looks empty.
  private func unmountElsewhere(_ counted: FilePath, _ mountPoint: FilePath) throws(StorageError) {
    guard counted != mountPoint, driver.traits.hasKernelMounts, MountTable.isMountPoint(counted),
      isSamePlace(counted.removingLastComponent(), mountPoint.removingLastComponent())
    else { return }
    try MountExecutor.unmount(counted)
  }

  /// A count read from disk may be the largest number there is.
  private func increment(_ count: Int) -> Int { count == .max ? count : count + 1 }

  /// Removes what the driver makes again for layers that are not mounted. Needs the layer locks exclusively.
  func yieldSpace() {
    guard let yielding = driver.spaceYielding else { return }
    let mounts = mounts
    var mounted: [FilePath: MountedLayers] = [:]
    let idle = ask { $0.records.map(\.id) }.compactMap { primary($0)?.location }.filter { layer in
      let home = driver.directory(of: layer).removingLastComponent()
      // What cannot be told to be idle is not touched.
      guard mounts[layer.id] == nil, let there = mounted[home] ?? (try? MountedLayers(in: home)) else { return false }
      mounted[home] = there
      return !there.contains(layer.id)
    }
    yielding.yieldSpace(of: idle)
  }

  /// Where ``LayersWriting/mount(_:_:)`` would present a layer, and its steps in words. Changes nothing.
  func plan(_ layer: FoundLayer, _ options: MountOptions) throws(StorageError) -> (path: String, steps: [String]) {
    if let known = mounts[layer.id], MountTable.isMountPoint(FilePath(known.path)) {
      return (known.path, ["mounted already (count \(known.count))"])
    }
    let ancestors = try ancestors(of: layer)
    var options = options
    options.mappedLayers = mappedLayers(layer, ancestors)
    let plan = try driver.mountPlan(for: layer.location, over: ancestors.map(\.location), options)
    return (plan.mountPoint.lexicallyNormalized().string, plan.steps.map(\.description))
  }

  /// The mounted layers that are built on a layer of that name, itself included. When they were mounted their ancestors may
  /// have been elsewhere than the records say now, so places do not count.
  func mountedUsers(of layer: FoundLayer) -> [LayerID] {
    guard driver.traits.hasKernelMounts else { return [] }
    return mounts.layers.sorted().filter { id in
      if id == layer.id { return true }
      // A chain that is broken cannot be shown to lead here.
      guard let mounted = find(id), let ancestors = try? ancestors(of: mounted) else { return false }
      return ancestors.contains { $0.id == layer.id }
    }
  }
}
