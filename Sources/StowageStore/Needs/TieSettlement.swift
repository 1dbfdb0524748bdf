// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// Settles layers whose maker or deleter died: needed layers are complete, others go with the data of their object.
///
/// A layer that another one is built on stays in any case.
struct TieSettlement {
  let store: Store

  /// Settles those of the layers whose makers are dead; the caller saves.
  func run(_ tied: [LayerID], _ layers: borrowing LayersWriting) throws(StorageError) {
    let mounts = layers.reading.mounts
    let abandoned = tied.compactMap { id -> (layer: FoundLayer, tie: LayerTie)? in
      guard let layer = layers.reading.primary(id), let tie = layer.record.tie else { return nil }
      return tie.isAlive(store.topology, mounts) ? nil : (layer, tie)
    }
    for (layer, tie) in abandoned where tie.kind == .content { try layers.settleContent(of: layer, tie) }
    // Copies are no tie to an object; see `LayersWriting.repair`.
    let owned = abandoned.filter { $0.tie.kind != .content && $0.tie.kind != .relocation }
    if owned.isEmpty { return }
    var doomed: [FoundLayer] = []
    let (needs, isCertain) = try needsOrDoubt(layers.reading)
    for (layer, tie) in owned {
      if needs?.keeps(layer, tiedTo: tie) == true || !isCertain && !layer.record.isIncomplete {
        layers.change { table in
          table.update(layer.id) { record in
            record.tie = nil
            record.isIncomplete = false
          }
        }
      } else {
        doomed.append(layer)
        // While records are lost there may be one of the object.
        if isCertain { try removeData(of: tie, layers.bins) }
      }
    }
    let stuck = try discardChildrenFirst(doomed, layers)
    layers.change { table in
      for layer in doomed where !stuck.contains(layer.id) { table.update(layer.id) { $0.tie = nil } }
    }
  }

  /// Who needs the layers, and whether that is all: while a registration or records cannot be read, whole layers stay, and the
  /// store can be used.
  private func needsOrDoubt(
    _ layers: borrowing LayersReading
  ) throws(StorageError) -> (needs: LayerNeeds?, isCertain: Bool) {
    do throws(StorageError) { return (try store.needs(layers), true) } catch  where error.code == .corrupt {
      Log.warning("\(error)")
    }
    do throws(StorageError) { return (try store.needs(layers, force: true), false) } catch  where error.code == .corrupt
    {
      return (nil, false)
    }
  }

  /// Deletes children before their parents; what keeps a child that is not doomed stays.
  ///
  /// - Returns: those whose trees cannot be moved away.
  private func discardChildrenFirst(
    _ doomed: [FoundLayer], _ layers: borrowing LayersWriting
  ) throws(StorageError) -> Set<LayerID> {
    var stuck: Set<LayerID> = []
    var progress = true
    while progress {
      progress = false
      for layer in doomed where layers.reading.primary(layer.id) != nil && !stuck.contains(layer.id) {
        guard layers.reading.children(of: layer).isEmpty else { continue }
        Log.warning("Found layer \(goQuoted(layer.id.rawValue)) of an unfinished operation, deleting it")
        do throws(StorageError) {
          try layers.unmountFully(layer)
          try layers.discard(layer)
          progress = true
        } catch {
          guard layers.store.tolerate(error, of: layer.id) else { throw error }
          stuck.insert(layer.id)
        }
      }
    }
    return stuck
  }

  /// Deletes the directories of an object that has no record.
  private func removeData(of tie: LayerTie, _ bins: RemovalBins) throws(StorageError) {
    let places = store.topology
    switch tie.kind {
    case .mapping, .content, .mounts, .relocation: break
    case .container:
      guard let id = ContainerID(recorded: tie.id)?.rawValue else { return }
      try bins.add(places.containers.directory.appending(id), bin: places.layers.data.temporary)
      try removeTree(places.containers.runDirectory.appending(id))
    case .image:
      guard let id = ImageID(recorded: tie.id)?.rawValue else { return }
      for images in places.images where images.isWritable {
        try bins.add(images.directory.appending(id), bin: images.bin)
      }
    }
  }
}
