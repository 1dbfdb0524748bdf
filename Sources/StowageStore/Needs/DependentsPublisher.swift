// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Keeps this graph root's ``Registration`` in its image store true.
///
/// At every moment, also after a crash, the file names at least the layers whose records need it: it is widened before
/// records are saved and narrowed after it. Needs both layer locks exclusively.
struct DependentsPublisher: Sendable {
  private let roots: StoreRoots
  private let identity: FilePath
  private let directory: DependentsDirectory
  private var known: Registration?
  private var signature: FileSignature?

  /// `nil` for a store without a separate image store.
  init?(_ topology: StoreTopology) {
    guard topology.roots.imageStore != nil, let data = topology.layers.dataSearch.last else { return nil }
    roots = topology.roots
    identity = topology.layers.data.identity
    directory = DependentsDirectory(data: data)
  }

  /// Makes the registration if there is none.
  mutating func register() throws(StorageError) {
    let registration = try current()
    if signature == nil { try write(registration) }
  }

  /// Adds what is about to be recorded.
  mutating func widen(to wanted: [Dependent]) throws(StorageError) {
    if wanted.isEmpty { return }
    var registration = try current()
    let missing = Set(wanted).subtracting(registration.dependents)
    if missing.isEmpty, signature != nil { return }
    registration.dependents = (registration.dependents + missing).sorted {
      ($0.child, $0.parent) < ($1.child, $1.parent)
    }
    try write(registration)
  }

  /// Drops what is recorded no longer. A failure is logged: too many entries do no harm but to keep a layer.
  mutating func narrow(to wanted: [Dependent]) {
    do throws(StorageError) {
      if wanted.isEmpty, try Identity.read(identity) == nil { return }
      var registration = try current()
      let exact = wanted.sorted { ($0.child, $0.parent) < ($1.child, $1.parent) }
      if registration.dependents == exact { return }
      registration.dependents = exact
      try write(registration)
    } catch {
      Log.warning("cannot update what this graph root needs of its image store: \(error)")
    }
  }

  /// The registration on disk, or a new one.
  private mutating func current() throws(StorageError) -> Registration {
    let id = try Identity.readOrMake(identity)
    let file = directory.file(id)
    if let known, known.id == id, signature != nil, FileSignature.of(file) == signature { return known }
    signature = FileSignature.of(file)
    var dependents: [Dependent] = []
    do throws(StorageError) {
      dependents = try directory.registration(id)?.dependents ?? []
    } catch  where error.code == .corrupt {
      Log.warning("\(error.message); writing it anew")
    }
    let registration = Registration(
      id: id, graphRoot: roots.graphRoot.string, runRoot: roots.runRoot.string,
      mountPoint: Identity.mountPoint(of: roots.graphRoot).string, machine: Identity.machine(), dependents: dependents)
    known = registration
    return registration
  }

  private mutating func write(_ registration: Registration) throws(StorageError) {
    known = nil
    try directory.publish(registration)
    signature = FileSignature.of(directory.file(registration.id))
    known = registration
  }
}
