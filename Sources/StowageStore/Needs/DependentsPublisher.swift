// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Keeps this graph root's ``Registration`` in its image store true.
///
/// At every moment, also after a crash, the file names at least the layers whose records need it: it is widened before
/// records are saved and narrowed, or withdrawn, at the end of the access. Needs both layer locks exclusively.
struct DependentsPublisher: Sendable {
  private let topology: StoreTopology
  private let roots: StoreRoots
  private let identity: FilePath
  private let directory: DependentsDirectory
  private var known: Known?

  /// What was found on disk, or written there, last.
  private struct Known: Sendable {
    /// What is there; `nil` if there is no registration.
    var onDisk: Registration?
    let id: String
    /// Whether it may be narrowed, withdrawn and led to other places.
    let isOwn: Bool
    var signature: FileSignature?
  }

  /// `nil` for a store without a separate image store.
  init?(_ topology: StoreTopology) {
    guard topology.roots.imageStore != nil, let data = topology.layers.dataSearch.last else { return nil }
    self.topology = topology
    roots = topology.roots
    identity = topology.layers.data.identity
    directory = DependentsDirectory(data: data)
  }

  /// Makes the registration if there is none.
  mutating func register() throws(StorageError) {
    let known = try look()
    if known.onDisk == nil { try write([], known) }
  }

  /// Adds what is about to be recorded.
  mutating func widen(to wanted: [Dependent]) throws(StorageError) {
    if wanted.isEmpty { return }
    let known = try look()
    let registered = Set(known.onDisk?.dependents ?? [])
    if known.onDisk != nil, registered.isSuperset(of: wanted) { return }
    try write(registered.union(wanted), known)
  }

  /// Makes the registration exact: drops what is recorded no longer, leads it to where the graph root is now, and withdraws it
  /// if nothing here uses the image store. A failure is logged: too many entries do no harm but to keep a layer.
  ///
  /// - Parameters:
  ///   - wanted: what is recorded.
  ///   - mounting: the graph roots for whose mounts layers stay in the image store.
  mutating func settle(to wanted: [Dependent], mounting: Set<String>) {
    do throws(StorageError) {
      if wanted.isEmpty {
        guard let id = try Identity.read(identity) else { return }
        if !mounting.contains(id), !RootRecords.useImageStore(topology) { return try withdraw() }
      }
      let known = try look()
      let kept = known.isOwn ? [] : Set(known.onDisk?.dependents ?? [])
      if wanted.isEmpty, known.onDisk == nil { return }
      try write(kept.union(wanted), known)
    } catch {
      Log.warning("cannot update what this graph root needs of its image store: \(error)")
    }
  }

  /// Says that the registration is this graph root's, whatever place it leads to.
  ///
  /// - Parameter wanted: what is recorded.
  mutating func claim(_ wanted: [Dependent]) throws(StorageError) {
    let found = try look(isClaiming: true)
    let claimed = Known(onDisk: found.onDisk, id: found.id, isOwn: true, signature: found.signature)
    known = claimed
    try write(Set(wanted), claimed)
  }

  /// The registration and whose it is; `nil` without one. Changes nothing.
  func registered() throws(StorageError) -> (registration: Registration, claim: RegistrationClaim)? {
    guard let id = try Identity.read(identity), let found = try directory.registration(id) else { return nil }
    return (found, RegistrationClaim(found, of: roots.graphRoot, driver: topology.driverName))
  }

  /// Ends the registration. The identifier goes last: without it nobody could end a registration that came back.
  private mutating func withdraw() throws(StorageError) {
    guard let id = try Identity.read(identity) else { return }
    switch try directory.registration(id).map({
      RegistrationClaim($0, of: roots.graphRoot, driver: topology.driverName)
    })
    {
    case .unclear: return
    case .own: try directory.withdraw(id)
    // A copy's identifier is of no use; what it leads to stays.
    case .another, nil: break
    }
    known = nil
    try attempt("unlink", identity) { () throws(Errno) in try Syscall.unlink(identity) }
    try AtomicFile.syncDirectory(identity.removingLastComponent())
  }

  /// What is registered under this graph root's identifier, which it gets if it has none. A copy gets one of its own.
  private mutating func look(isClaiming: Bool = false) throws(StorageError) -> Known {
    let id = try identify()
    let signature = FileSignature.of(directory.file(id))
    if let known, known.id == id, known.signature == signature { return known }
    var found: Registration?
    do throws(StorageError) { found = try directory.registration(id) } catch  where error.code == .corrupt {
      Log.warning("\(error.message); writing it anew")
    }
    var result = Known(onDisk: found, id: id, isOwn: true, signature: signature)
    switch found.map({ RegistrationClaim($0, of: roots.graphRoot, driver: topology.driverName) }) {
    case .own, nil: break
    case .another:
      Log.warning(
        "graph root \(roots.graphRoot) is a copy of \(found?.graphRoot ?? ""): it is registered in its image store under a "
          + "name of its own from now on")
      result = Known(onDisk: nil, id: try Identity.make(identity), isOwn: true, signature: nil)
    case .unclear:
      if isClaiming { break }
      Log.warning(
        "graph root \(roots.graphRoot) is registered in its image store as \(found?.graphRoot ?? ""), which cannot be looked "
          + "at: if it was moved, say so by \"stowage relocate-root\"")
      result = Known(onDisk: found, id: id, isOwn: false, signature: signature)
    }
    known = result
    return result
  }

  /// This graph root's identifier. A damaged one is that of the registration that leads here, if there is one.
  private func identify() throws(StorageError) -> String {
    do throws(StorageError) {
      if let id = try Identity.read(identity) { return id }
      return try Identity.make(identity)
    } catch  where error.code == .corrupt {
      let own = try directory.registrations(except: nil).first {
        $0.machine == Identity.machine() && isSamePlace(FilePath($0.graphRoot), roots.graphRoot)
      }
      Log.warning("\(identity) is damaged; writing it anew")
      guard let own else { return try Identity.make(identity) }
      try Identity.write(own.id, identity)
      return own.id
    }
  }

  /// Writes the registration if that differs from what is there.
  private mutating func write(_ dependents: Set<Dependent>, _ known: Known) throws(StorageError) {
    let sorted = dependents.sorted { ($0.child, $0.parent) < ($1.child, $1.parent) }
    var registration = Registration(
      known.id, of: roots, since: known.onDisk?.since ?? Timestamp.now().description, dependents: sorted)
    if let found = known.onDisk {
      if !known.isOwn || found.isPlace(of: registration) {
        registration = found
        registration.dependents = sorted
      }
      if registration == found { return }
    }
    self.known = nil
    try directory.publish(registration)
    let signature = FileSignature.of(directory.file(registration.id))
    self.known = Known(onDisk: registration, id: known.id, isOwn: known.isOwn, signature: signature)
  }
}

extension Registration {
  /// Whether it leads to the places of another one, which may have other names.
  fileprivate func isPlace(of other: Registration) -> Bool {
    machine == other.machine && mountPoint == other.mountPoint
      && isSamePlace(FilePath(graphRoot), FilePath(other.graphRoot))
      && isSamePlace(FilePath(runRoot), FilePath(other.runRoot))
  }
}
