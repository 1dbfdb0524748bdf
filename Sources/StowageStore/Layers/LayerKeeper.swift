// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords
internal import Synchronization

/// Keeps mount counts, and what other graph roots are told, in step with the layer records.
final class LayerKeeper: RecordKeeper {
  private let topology: StoreTopology
  private let mounts: MountCounts
  /// Tells the others who share the image store; `nil` if there is none.
  private let publisher: Mutex<DependentsPublisher?>
  /// Layers whose trees could not be moved away: they keep nobody from going on.
  private let stuck = Mutex<Set<LayerID>>([])

  init(_ topology: StoreTopology, _ mounts: MountCounts) {
    self.topology = topology
    self.mounts = mounts
    publisher = Mutex(DependentsPublisher(topology))
  }

  func hasLeavings(_ table: LayerTable) -> Bool { false }

  /// Only layers that are being made or deleted, and those whose fate hangs on another record, need repair; not even these if
  /// their maker still works, or they stay for mounts which go on.
  func judge(
    _ findings: inout LayerTable.Findings, _ table: LayerTable, isReloaded: Bool
  ) throws(StorageError) {
    try mounts.refresh(table, isForced: isReloaded)
    let ledger = mounts.ledger
    let stuck = stuck.withLock { $0 }
    findings.unfinished.removeAll { id in
      if stuck.contains(id) { return true }
      guard let record = table[id], !record.isIncomplete else { return false }
      return record.tie?.isAlive(topology, ledger) ?? true
    }
    // Of records that others hide only copies on their way between two stores matter.
    findings.unfinishedHidden.removeAll { hidden in
      stuck.contains(hidden.id)
        || !table.positions(of: hidden.id).contains { $0.file == hidden.file && table[$0]?.isDoomed == true }
    }
  }

  /// Nobody who opens this store looks again at what is left of a layer.
  func passOver(_ layer: LayerID) { stuck.withLock { _ = $0.insert(layer) } }

  /// Layers are repaired by those who have the driver: ``LayersWriting/repair(_:in:)``.
  func repair(_ findings: LayerTable.Findings, _ access: borrowing RecordsWriting<LayerRecord>) throws(StorageError) {}

  /// Before the records are saved, other graph roots on the image store are told what is needed; see ``settle(_:)``.
  func willSave(_ table: LayerTable) throws(StorageError) {
    try publisher.withLock { (publisher) throws(StorageError) in
      try publisher?.widen(to: table.dependents(topology.layers.documents))
    }
  }

  func didSave(_ table: LayerTable) throws(StorageError) {
    try mounts.save(orderedAs: table)
  }

  /// Makes this graph root's registration if there is none.
  func register() throws(StorageError) {
    try publisher.withLock { (publisher) throws(StorageError) in try publisher?.register() }
  }

  /// Says that the registration with this graph root's identifier is its own.
  func claim(_ table: LayerTable) throws(StorageError) {
    try publisher.withLock { (publisher) throws(StorageError) in
      try publisher?.claim(table.dependents(topology.layers.documents))
    }
  }

  /// At the end of an access other graph roots are told what is needed no longer.
  func settle(_ table: LayerTable) {
    publisher.withLock { publisher in
      if publisher == nil { return }
      let ties = table.records.compactMap { $0.tie }
      publisher?.settle(
        to: table.dependents(topology.layers.documents),
        mounting: Set(ties.compactMap { $0.kind == .mounts ? $0.graphRoot : nil }))
    }
  }

  /// Nothing is registered any more.
  func end() { publisher.withLock { $0 = nil } }

  /// What is registered under this graph root's identifier, and whose it is.
  func registered() throws(StorageError) -> (registration: Registration, claim: RegistrationClaim)? {
    try publisher.withLock { (publisher) throws(StorageError) in try publisher?.registered() }
  }
}

extension LayerRecord {
  /// Whether it is a copy of a layer that the other place has, on its way there or back.
  var isPassing: Bool { tie?.kind == .relocation }

  /// Whether the next opener deletes it: nothing may rely on it.
  var isDoomed: Bool { isIncomplete || isPassing }

  /// Whether the layer's fate hangs on another record.
  var isTied: Bool { tie != nil }
}

extension RecordTable where Record == LayerRecord {
  /// The layers whose parent is `id`, in load order.
  func children(of id: LayerID) -> [LayerID] {
    var children: [LayerID] = []
    forEach { record, _ in if record.parent == id { children.append(record.id) } }
    return children
  }

  /// The place of a layer's record, whether another one hides it or not.
  func position(of layer: FoundLayer, _ topology: StoreTopology) -> Position? {
    let all = positions(of: layer.id)
    return all.first { topology.layers.documents[$0.file].role == layer.location.role } ?? all.first
  }

  /// The layers of the graph root whose parents are in the image store. A parent in the graph root that is incomplete does
  /// not count: the next opener deletes it.
  func dependents(_ documents: [StoreTopology.LayerDocument]) -> [Dependent] {
    var dependents: [Dependent] = []
    forEach { record, position in
      guard documents[position.file].role == .graphRoot, let parent = record.parent,
        var home = self.position(of: parent)
      else { return }
      if self[home]?.isDoomed == true {
        home = positions(of: parent).first { self[$0]?.isDoomed == false } ?? home
      }
      guard documents[home.file].role == .imageStore else { return }
      dependents.append(Dependent(child: record.id, parent: parent))
    }
    return dependents
  }
}
