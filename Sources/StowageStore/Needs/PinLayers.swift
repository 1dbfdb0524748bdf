// SPDX-License-Identifier: Apache-2.0

internal import StowageDigest
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Layers without content in an image store, one for each graph root and layer that it needs there (store-semantics 27.3.2).
///
/// Programs that do not look at registrations see a child and keep its parents. The flag has the identifier of the graph root
/// that made the pin; a pin whose registration is gone holds nothing.
enum PinLayer {
  /// The flag's key.
  static let key = "stowage-pin"

  static func record(of owner: String, over parent: LayerID) -> LayerRecord {
    let name = "pin:\(owner):\(parent)"
    let id = LayerID(recorded: sha256(of: Array(name.utf8)).hex) ?? .random()
    var record = LayerRecord(id: id, parent: parent, names: [name])
    record.flags[key] = .string(owner)
    return record
  }
}

extension LayerRecord {
  /// The graph root that made this pin; `nil` if it is none.
  var pinOwner: String? { flags.isEmpty ? nil : flags[PinLayer.key]?.string }
}

extension LayersReading {
  /// Pins, with what they are over; those that hold something, or the others.
  func pins(holding: Bool) -> [(pin: LayerID, parent: LayerID)] {
    let directories = store.topology.layers.dataSearch.map { DependentsDirectory(data: $0) }
    return ask { $0.records.filter { $0.pinOwner != nil } }.compactMap { record in
      guard let owner = record.pinOwner, let parent = record.parent else { return nil }
      let isRegistered = directories.contains { Syscall.exists($0.file(owner)) }
      return isRegistered == holding ? (record.id, parent) : nil
    }
  }

  /// Pins that do not keep anybody from deleting: those that hold nothing, and with `force` all, also those of mounts of other
  /// graph roots.
  func idlePins(force: Bool) -> [(pin: LayerID, parent: LayerID)] {
    if !force { return pins(holding: false) }
    let mounted = mountedElsewhere().compactMap { use in use.record.parent.map { (use.record.id, $0) } }
    return pins(holding: false) + pins(holding: true) + mounted
  }
}

extension LayersWriting {
  /// Makes the pins that this graph root's layers need and deletes those that nothing here needs. A failure is logged: pins
  /// only matter to other programs.
  func settlePins() {
    do throws(StorageError) {
      let places = store.topology
      guard places.roots.imageStore != nil, let owner = try Identity.read(places.layers.data.identity) else { return }
      let pins = reading.ask { $0.records.filter { $0.pinOwner == owner } }
      if pins.isEmpty, !store.pinsParents { return }
      let dependents = store.pinsParents ? reading.ask { $0.dependents(places.layers.documents) } : []
      let wanted = Set(dependents.map(\.parent))
      for pin in pins where pin.parent.map({ !wanted.contains($0) }) ?? true {
        if let layer = reading.primary(pin.id) { try delete(layer) }
      }
      for parent in wanted.subtracting(pins.compactMap(\.parent)).sorted() {
        guard let basis = reading.layer(parent, at: .imageStore) else { continue }
        try pin(basis, PinLayer.record(of: owner, over: parent))
      }
    } catch {
      Log.warning("cannot pin layers of the image store: \(error)")
    }
  }

  /// Deletes pins over layers that are about to be deleted.
  func deletePins(_ pins: [(pin: LayerID, parent: LayerID)], over doomed: [LayerID]) throws(StorageError) {
    for entry in pins where doomed.contains(entry.parent) {
      if let layer = reading.primary(entry.pin) { try delete(layer) }
    }
  }

  /// Makes a layer without content over another one, beside it.
  func pin(_ basis: FoundLayer, _ record: LayerRecord) throws(StorageError) {
    let (documents, role) = (store.topology.layers.documents, basis.location.role)
    guard let document = documents.firstIndex(where: { $0.role == role && !$0.isVolatile }) else { return }
    let location = LayerLocation(id: record.id, role: role, root: basis.location.root)
    // Where layers are copies, this one stays empty: nobody mounts it.
    let chain = driver.traits.copiesParent ? [] : [basis.location] + (try reading.chain(of: basis))
    let new = NewLayer(
      record: record, document: document, location: location, basis: nil, chain: chain, source: nil,
      options: LayerCreateOptions(), bigData: [])
    var none: StagedContent?
    _ = try create(new, staged: &none)
  }
}
