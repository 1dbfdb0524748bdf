// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// Makes a container (store-semantics 11.1).
///
/// Identifier and names are checked before anything is made (store-semantics 27.1.16). The container's layer stays
/// `incomplete` and tied to the container until the container's record is on disk; so after a crash there is the whole
/// container or nothing.
struct ContainerMaking {
  private let store: Store
  private var draft: ContainerDraft

  /// - Throws: as ``ContainerDraft/init(_:in:)``.
  init(store: Store, _ request: ContainerCreation) throws(StorageError) {
    self.store = store
    draft = try ContainerDraft(request, in: store)
  }

  /// What became of an attempt to make a container under the locks, or what is to be done first without them.
  private enum Step {
    case made(ContainerRecord)
    /// The image needs a top layer with other owners.
    case needsCopy(MappedCopy)
    /// The container's layer begins with a copy.
    case needsContent(NewLayer)
  }

  /// Makes the container.
  ///
  /// - Throws: as ``ContainerOperations/create(_:)``; `busy` if the image's layers do not stop changing.
  func run() throws(StorageError) -> ContainerRecord {
    try store.topology.refuseWriting(store.topology.containers.documents)
    return try store.write(draft.reservesIDs ? [.idRanges] : []) { (_) throws(StorageError) -> ContainerRecord in
      var making = self
      if draft.request.automaticUserNamespace != nil {
        try making.draft.chooseMaps()
        try making.draft.checkMaps()
      }
      return try making.attempts()
    }
  }

  private func attempts() throws(StorageError) -> ContainerRecord {
    var staged: StagedContent?
    var attempts = 0
    // A copy for the image, then one for the container.
    let mostAttempts = 2 * ContentStaging.mostCopies
    while true {
      let step = try attempt(&staged)
      staged = nil
      attempts += 1
      do throws(StorageError) {
        switch step {
        case .made(let record): return record
        case .needsCopy(let copy): try copy.make(in: store)
        case .needsContent(let new): staged = try ContentStaging.copy(for: new, in: store)
        }
      } catch {
        // The image's layer may have changed while it was copied.
        guard error.code == .busy, attempts < mostAttempts else { throw error }
      }
      if attempts > mostAttempts {
        throw StorageError(.busy, "the layers of image \(goQuoted(draft.request.image)) do not stop changing")
      }
    }
  }

  /// Makes layer and record under the locks, if all that takes long is done.
  private func attempt(_ staged: inout StagedContent?) throws(StorageError) -> Step {
    try store.write([.layers, .containers], reading: [.images]) { (access) throws(StorageError) -> Step in
      let layers = access.layers
      let name = draft.request.image
      let image = name.isEmpty ? nil : try access.reading.images.require(name)
      let id = try draft.newID(access.containers.reading)
      var top: FoundLayer?
      if let image {
        switch try TopLayerChoice(store: store, image: image, maps: draft.maps).run(layers.reading) {
        case .needsCopy(let copy): return .needsCopy(copy)
        case .ready(let layer): top = layer
        }
      }
      let new = try draft.layer(of: id, over: top, layers.reading)
      if new.source != staged?.source { return .needsContent(new) }
      let record = draft.record(id, new, image: image?.record.id)
      return .made(try commit(record, new, &staged, access))
    }
  }

  private func commit(
    _ container: ContainerRecord, _ new: NewLayer, _ staged: inout StagedContent?, _ access: borrowing StoreWriting
  ) throws(StorageError) -> ContainerRecord {
    var record = container
    let layers = access.layers
    let containers = access.containers
    let directory = containers.store.directory
    try store.topology.refuseOverwriting(itemsIn: directory.appending(record.id.rawValue))
    _ = try layers.create(new, staged: &staged, keepsTie: true)
    do throws(StorageError) {
      try BigDataFiles.write(draft.request.bigData, of: record.id.rawValue, in: directory, kind: "container")
      for item in draft.request.bigData {
        record.enter(item.key, size: item.bytes.count, digest: BigDataFiles.digest(of: item.bytes))
      }
      try containers.append(record, file: draft.isVolatile ? 1 : 0)
    } catch {
      // The save may have replaced the file before it failed. Only if the record is surely gone may the layer go; else
      // the next opener settles it. Data that stay are nobody's, as those of any container that was not recorded.
      if containers.withdraw(record.id) {
        layers.abandon([new], context: error)
        try? removeTree(directory.appending(record.id.rawValue))
      }
      throw error
    }
    try layers.untie(new.record.id)
    return record
  }
}
