// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

extension Store {
  /// Makes everything that leads to this graph root lead to where it is now. May be repeated.
  ///
  /// - Parameter isDryRun: only says what would be done.
  /// - Throws: `layerUsedByContainer` while something of it is mounted; `system`.
  public func relocateRoot(isDryRun: Bool = false) throws(StorageError) -> RootRelocation {
    if isDryRun { return try read([.layers]) { (access) throws(StorageError) in try plan(access.layers) } }
    return try write([.driver, .layers]) { (access) throws(StorageError) in
      let layers = access.layers
      let plan = try plan(layers.reading)
      try dropMounts(plan.endedMounts, layers)
      if plan.registration != .none { try layers.store.claimRegistration(layers) }
      return plan
    }
  }

  /// Moves the graph root to another path of its file system, and makes everything lead there. This object cannot be used
  /// afterwards. If the process dies in between, the registration leads nowhere, and is believed, until
  /// ``relocateRoot(isDryRun:)`` at the new path.
  ///
  /// - Parameters:
  ///   - target: where to; is missing, or an empty directory.
  ///   - isDryRun: only says what would be done.
  /// - Throws: `usage` for a target that will not do; `layerUsedByContainer` while something is mounted; `system`.
  public func moveRoot(to target: String, isDryRun: Bool = false) throws(StorageError) -> RootRelocation {
    let target = absolute(target)
    try checkTarget(target)
    if isDryRun {
      return try read([.layers]) { (access) throws(StorageError) in try plan(access.layers).moved(to: target) }
    }
    return try write([.driver, .layers, .images, .containers]) { (access) throws(StorageError) in
      let layers = access.layers
      let plan = try plan(layers.reading)
      try dropMounts(plan.endedMounts, layers)
      if plan.registration != .none { try layers.store.claimRegistration(layers) }
      let found = try layers.store.registered(layers.reading)?.registration
      try access.driver.announceShutdown()
      try layers.driver.homeClosing?.cleanUp()
      try rename(to: target)
      // Nothing may be written below the old path any more.
      layers.store.endRegistration(layers)
      if let found, let directory = topology.layers.dataSearch.last.map({ DependentsDirectory(data: $0) }) {
        let roots = StoreRoots(graphRoot: target, runRoot: topology.roots.runRoot, imageStore: nil)
        try directory.publish(
          Registration(found.id, of: roots, since: found.since, dependents: found.dependents))
      }
      return plan.moved(to: target)
    }
  }

  // MARK: Steps

  private func rename(to target: FilePath) throws(StorageError) {
    let root = topology.roots.graphRoot
    do throws(Errno) { try Syscall.rename(root, target) } catch .improperLink {
      throw isElsewhere(target)
    } catch {
      throw .failed("rename", root, target, error)
    }
    try AtomicFile.syncDirectories([root.removingLastComponent(), target.removingLastComponent()])
  }

  private func checkTarget(_ target: FilePath) throws(StorageError) {
    let roots = topology.roots
    for place in [roots.imageStore, roots.runRoot] {
      guard let place, place.starts(with: roots.graphRoot) else { continue }
      throw StorageError(
        .usage, "\(place) is in the graph root \(roots.graphRoot), and would move with it: move it away first",
        path: place.string)
    }
    let names = try directoryNames(target)
    if !names.isEmpty {
      throw StorageError(.usage, "\(target) is there, and not empty: nothing was moved", path: target.string)
    }
    let parent = target.removingLastComponent()
    let (old, new) = try (
      attempt("stat", roots.graphRoot) { () throws(Errno) in try Syscall.stat(roots.graphRoot) },
      attempt("stat", parent) { () throws(Errno) in try Syscall.stat(parent) }
    )
    if old.device != new.device { throw isElsewhere(target) }
  }

  private func isElsewhere(_ target: FilePath) -> StorageError {
    let root = topology.roots.graphRoot
    return StorageError(
      .usage,
      "\(target) is on another file system than \(root): copy it there with a program that keeps owners, extended attributes "
        + "and hard links, while nothing uses it, delete the old one, and run relocate-root with the new path",
      path: target.string)
  }

  private func plan(_ layers: borrowing LayersReading) throws(StorageError) -> RootRelocation {
    let database = topology.roots.graphRoot.appending("libpod/bolt_state.db")
    let others = try DependentsDirectory(data: topology.layers.data).registrations(except: nil)
    return RootRelocation(
      graphRoot: graphRoot, movedFrom: nil, imageStore: imageStoreRoot, registration: try registration(layers),
      endedMounts: try endedMounts(layers), dependents: others.map(\.graphRoot),
      hasPodmanDatabase: Syscall.exists(database))
  }

  private func registration(_ layers: borrowing LayersReading) throws(StorageError) -> RootRelocation.Registration {
    let found: (registration: Registration, claim: RegistrationClaim)?
    do throws(StorageError) { found = try layers.store.registered(layers) } catch  where error.code == .corrupt {
      return .made
    }
    guard let (registration, claim) = found else {
      return layers.ask { $0.dependents(topology.layers.documents) }.isEmpty ? .none : .made
    }
    if claim == .another { return .separated(from: registration.graphRoot) }
    let isHere = claim == .own && isSamePlace(FilePath(registration.graphRoot), topology.roots.graphRoot)
    return isHere ? .kept : .led(from: registration.graphRoot)
  }

  /// The paths of recorded mounts that are none any more.
  ///
  /// - Throws: `layerUsedByContainer` if there is one that is.
  private func endedMounts(_ layers: borrowing LayersReading) throws(StorageError) -> [String] {
    let hasMounts = layers.driver.traits.hasKernelMounts
    let root = MountTable.canonical(topology.roots.graphRoot)
    // The driver's own mount, which is ended.
    let home = root.appending(driverName)
    var ended: [String] = []
    for id in layers.mounts.layers.sorted() {
      guard let path = layers.mounts[id]?.path else { continue }
      let isLive = hasMounts ? MountTable.isMountPoint(FilePath(path)) : Syscall.exists(FilePath(path))
      if isLive { throw inUse("layer \(id) is mounted at \(path)", id) }
      ended.append(path)
    }
    if let place = MountTable.mounts(below: root).first(where: { $0 != root && $0 != home }) {
      throw inUse("something is mounted at \(place)", nil)
    }
    return ended
  }

  private func inUse(_ text: String, _ layer: LayerID?) -> StorageError {
    StorageError(.layerUsedByContainer, subject: layer?.rawValue)
      .wrapped("graph root \(graphRoot) is in use: \(text); unmount it first")
  }

  private func dropMounts(_ paths: [String], _ layers: borrowing LayersWriting) throws(StorageError) {
    if paths.isEmpty { return }
    try layers.store.mounts.change(layers.reading) { ledger in
      for path in paths {
        if let id = ledger.layer(at: path) { ledger.set(id, path: "", count: 0) }
      }
    }
  }
}
