// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import Synchronization
internal import SystemPackage

/// The records of a layer store.
typealias LayerTable = RecordTable<LayerRecord>

/// The layers of a store: those of the graph root and the image store, in one table over up to three files under one or two
/// locks, those of additional stores, and the mount counts.
///
/// Nothing is readable or changeable without a token (``LayersReading``, ``LayersWriting``). Source: on-disk-format 8–13, 16.
final class LayerStore: Sendable {
  /// Where the files are.
  let topology: StoreTopology
  /// The records: first the primary store, then additional ones, which are read, never repaired, never written.
  let records: RecordStores<LayerRecord>
  /// Which layers are mounted.
  let mounts: MountCounts
  /// Whether layers of the image store that this graph root needs get pins; see ``PinLayer``.
  let pinsParents: Bool
  private let keeper: LayerKeeper
  private let hasRecovered = Mutex(false)
  private let undeletable = Mutex<[StorageError]>([])

  /// Makes directories and lock files; loads nothing.
  init(_ topology: StoreTopology, timeout: Duration?, pinsParents: Bool) throws(StorageError) {
    self.topology = topology
    self.pinsParents = pinsParents
    let places = topology.layers
    let directories = topology.roots.isReadOnly ? [places.run.path] : places.directories
    for directory in directories { try makeDirectories(directory, mode: 0o700, isDurable: true) }
    mounts = try MountCounts(places.run.mounts, lock: places.run.mountsLock, timeout: timeout)
    keeper = LayerKeeper(topology, mounts)
    let primary = try RecordStore(
      RecordPlaces<LayerRecord>(
        directory: places.data.path, bin: places.data.temporary, files: RecordFile.files(places.documents),
        locks: places.locks,
        ranks: [.layers, .imageStoreLayers], timeout: timeout, isWritable: !topology.roots.isReadOnly,
        written: places.writtenDirectories,
        loading: "loading primary layer store data", repeatedNames: .duplicateLayerNames), keeper)
    var stores = [primary]
    for (index, places) in topology.additionalLayers.enumerated() {
      stores.append(
        try RecordStore(
          RecordPlaces<LayerRecord>(
            directory: places.data.path, bin: places.data.temporary, files: RecordFile.files(places.documents),
            locks: [places.data.lock], ranks: [.additionalLayers(index)], timeout: timeout, isWritable: false,
            written: [],
            loading: "loading additional layer stores", repeatedNames: .duplicateLayerNames), PlainKeeper()))
    }
    records = RecordStores(stores)
  }

  /// Removes what dead processes left in temporary directories; once per store object, safe without locks because each
  /// has its own (on-disk-format 13.3).
  func recoverOnce(_ driver: any GraphDriver) {
    let isFirst = hasRecovered.withLock { hasRecovered in
      defer { hasRecovered = true }
      return !hasRecovered
    }
    if !isFirst { return }
    let bins = topology.roots.isReadOnly ? [] : topology.bins + driver.traits.temporaryRoots
    var failures = bins.flatMap { StagedDirectory.recover(root: $0) }
    failures += StagedDirectory.recover(root: topology.layers.run.privateMounts, isTransient: true)
    undeletable.withLock { $0 += failures }
  }

  /// Notes that the tree of a layer which is to go cannot be moved away: that is told now, by `gc` and by `check`, and keeps
  /// nobody from going on. Who opens the store next tries again.
  ///
  /// - Returns: whether it is such a failure; others may pass, and are the caller's.
  func tolerate(_ failure: StorageError, of layer: LayerID) -> Bool {
    guard failure.isStuck else { return false }
    Log.warning("layer \(layer) is not deleted: \(failure)")
    undeletable.withLock { $0.append(failure) }
    keeper.passOver(layer)
    return true
  }

  /// What dead processes, or deletions, left and could not be removed when this store was opened.
  var failuresToRecover: [StorageError] { undeletable.withLock { $0 } }

  /// Tells the others who share the image store that there is this graph root.
  func register(_ access: borrowing LayersWriting) throws(StorageError) { try keeper.register() }

  /// Says that the registration with this graph root's identifier is its own, wherever it leads to.
  func claimRegistration(_ access: borrowing LayersWriting) throws(StorageError) {
    try access.reading.ask { (table) throws(StorageError) in try keeper.claim(table) }
  }

  /// Nothing is registered through this object any more: its graph root is elsewhere.
  func endRegistration(_ access: borrowing LayersWriting) { keeper.end() }

  /// Makes the registration exact, or withdraws it.
  func settleRegistration(_ access: borrowing LayersWriting) { access.reading.ask { keeper.settle($0) } }

  /// What is registered under this graph root's identifier, and whose it is; `nil` without registration.
  func registered(
    _ access: borrowing LayersReading
  ) throws(StorageError) -> (registration: Registration, claim: RegistrationClaim)? { try keeper.registered() }
}

extension RecordFile where Record == LayerRecord {
  /// The files of a layer store.
  fileprivate static func files(_ documents: [StoreTopology.LayerDocument]) -> [RecordFile] {
    documents.map { RecordFile($0.path, isFlushed: !$0.isVolatile) }
  }
}
