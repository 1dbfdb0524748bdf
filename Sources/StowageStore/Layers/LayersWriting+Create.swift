// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

extension LayersWriting {
  /// Makes sure a new layer's identifier and names are free.
  ///
  /// - Throws: `duplicateID`, `duplicateName`.
  static func checkFree(_ record: LayerRecord, _ reading: borrowing LayersReading) throws(StorageError) {
    try reading.ask { (table) throws(StorageError) in
      if table.isTaken(record.id) { throw StorageError(.duplicateID, subject: record.id.rawValue) }
      for name in record.names where table.owner(ofName: name) != nil {
        throw StorageError(.duplicateName, subject: name)
      }
    }
  }

  /// Makes a layer, of the staged content if there is some (on-disk-format 12.1).
  ///
  /// What stands there is cleared only if no record can have been lost that names it, which is asked before anything is
  /// changed.
  ///
  /// The record with flag `incomplete` is on disk before anything else of the layer. A failure deletes everything; a
  /// crash leaves the incomplete record for the next opener.
  ///
  /// - Parameter keepsTie: the layer stays tied to the record of an object that is written now; see ``untie(_:)``. Whoever opens
  ///   the store in between finds a layer that is whole: other programs would delete one that is not, and leave the object.
  func create(
    _ new: NewLayer, staged: inout StagedContent?, keepsTie: Bool = false
  ) throws(StorageError) -> LayerRecord {
    try announce(new)
    do throws(StorageError) {
      // With a tar-split file the name of the record file reaches the device with that of the former, before all else.
      let tarSplit = staged?.diff?.tarSplit
      try save(tarSplit == nil ? .full : .content)
      if let tarSplit { try placeTarSplits([(tarSplit, new.location)]) }
      try fill(new, &staged)
      try driver.flushNames(of: [new.location])
      try complete([new.record.id], keepsTie: keepsTie)
    } catch {
      abandon([new], context: error)
      throw error
    }
    return reading.primary(new.record.id)?.record ?? new.record
  }

  /// Makes layers, which were announced, of prepared content: each over the one before it. The records are written twice, and what
  /// layers share is flushed once, for all of them; else their number would count twice. A failure deletes all.
  ///
  /// - Parameter position: that of the layer that is being made.
  func create(_ stack: [(new: NewLayer, content: PreparedLayer)], position: inout Int) throws(StorageError) {
    do throws(StorageError) {
      try save(.content)
      try placeTarSplits(stack.compactMap { layer in layer.content.tarSplit.map { ($0, layer.new.location) } })
      for (index, layer) in stack.enumerated() {
        position = index
        var staged = layer.content.take()
        try fill(layer.new, &staged)
      }
      try driver.flushNames(of: stack.map(\.new.location))
      try complete(stack.map(\.new.record.id), keepsTie: false)
    } catch {
      abandon(stack.map(\.new), context: error)
      throw error
    }
  }

  /// Enters the record of a layer to be made, which is incomplete; the caller saves. Nothing is changed if it cannot be made.
  ///
  /// - Throws: `duplicateID`, `duplicateName`, `corrupt`; `invalidBigDataName`.
  func announce(_ new: NewLayer) throws(StorageError) {
    try LayersWriting.checkFree(new.record, reading)
    try store.topology.refuseClearing(new.location, driver)
    var record = new.record
    record.isIncomplete = true
    record.bigDataNames = withoutRepeats(new.bigData.map(\.key))
    for item in new.bigData {
      do throws(StorageError) { _ = try bigDataFileName(for: item.key) } catch {
        throw bigDataNameError(error, item.key)
      }
    }
    change { $0.append(record, file: new.document) }
  }

  /// Ends the tie of a layer whose object is recorded. If that is lost, the next opener does it.
  func untie(_ id: LayerID) throws(StorageError) {
    change { table in table.update(id) { $0.tie = nil } }
    try save(.content)
  }

  /// Ends the making of layers: what they consist of is complete and on disk.
  private func complete(_ ids: [LayerID], keepsTie: Bool) throws(StorageError) {
    change { table in
      for id in ids {
        table.update(id) { record in
          record.isIncomplete = false
          if keepsTie { return }
          // With a lock of its own the maker goes on until its image is recorded, and mounts go on anyhow.
          guard let tie = record.tie, tie.lock == nil, tie.kind != .mounts else { return }
          record.tie = nil
        }
      }
    }
    try save()
  }

  private func fill(_ new: NewLayer, _ staged: inout StagedContent?) throws(StorageError) {
    try writeItems(new.bigData, of: new.location)
    if let result = staged?.diff?.result {
      change { table in
        table.update(new.record.id) { record in
          record.take(result)
          if record.tocDigest != nil { record.forgetBlob() }
        }
      }
    }
    do throws(StorageError) {
      try adoptParents(&staged, over: new.chain)
      try driver.create(new.location, over: new.chain, new.options, staged: staged?.layer.take())
    } catch {
      throw new.failure(error)
    }
  }

  /// Gives directories of staged content that its archive does not mention what the layers below know of them. Before the tree
  /// becomes the layer's, so that a layer which is complete has them.
  func adoptParents(_ staged: inout StagedContent?, over chain: [LayerLocation]) throws(StorageError) {
    guard let tree = staged?.layer?.tree, let implied = staged?.diff?.result?.impliedDirectories else { return }
    try driver.parentAdopting?.adopt(implied, in: tree, over: chain, older: staged?.layer?.older)
  }

  private func writeItems(_ items: [BigDataItem], of location: LayerLocation) throws(StorageError) {
    if items.isEmpty { return }
    for data in store.topology.layers.dataDirectories(of: location) {
      for item in items {
        let path = data.item(try bigDataFileName(for: item.key), of: location.id)
        try AtomicFile.replace(path, contents: item.bytes, durability: .content, stagedIn: data.path)
      }
      try AtomicFile.syncDirectory(data.items(of: location.id))
    }
  }

  /// Deletes layers whose making failed, from the top; a failure of that is only logged.
  func abandon(_ failed: [NewLayer], context: StorageError) {
    let layers = failed.reversed().compactMap { reading.primary($0.record.id) }
    do throws(StorageError) {
      // A save that failed may have replaced the file all the same: `delete` marks the records first, and if that fails too,
      // what is on disk, complete or incomplete, is left to the next opener.
      try delete(layers)
    } catch {
      let ids = layers.map { goQuoted($0.id.rawValue) }.joined(separator: ", ")
      Log.warning("While recovering from a failure (\(context)), error deleting layer \(ids): \(error)")
    }
  }
}

/// Adds the reference's words for a key that cannot be stored.
func bigDataNameError(_ error: StorageError, _ key: String) -> StorageError {
  key.isEmpty ? error.wrapped("can't set empty name for layer big data item") : error
}

extension LayerRecord {
  /// Records what an extraction found out, keeping what the caller vouched for.
  mutating func take(_ result: ApplyResult) {
    let isVouched = compressedDiffDigest != nil
    if !isVouched { compressedDiffDigest = result.compressedDigest }
    if !isVouched || compressedSize <= 0 { compressedSize = result.compressedSize }
    diffDigest = diffDigest ?? result.diffDigest
    diffSize = result.diffSize
    compression = result.compression
    uidSet = result.uidSet
    gidSet = result.gidSet
  }

  /// Forgets the bytes that the content came in.
  fileprivate mutating func forgetBlob() {
    compressedDiffDigest = nil
    compressedSize = 0
    compression = .none
  }
}
