// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDigest
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// A layer as its tree shows it without a record.
struct DiskLayer {
  let location: LayerLocation
  /// Identifiers of its ancestors, nearest first, as the driver wrote them down; `nil` if it does not.
  var parents: [LayerID]?
  /// What its tar-split file and its tree say together; `nil` if they do not make an archive again.
  let archive: Archive?
  let items: [String]
  let created: Timestamp

  /// The archive that the layer can be made into again.
  struct Archive {
    let digest: Digest
    let size: Int64
    let uids: [UInt32]
    let gids: [UInt32]
  }

  /// Looks at a tree; its content is read if there is a tar-split file.
  ///
  /// - Parameter data: where the files of the layer beside the records are, to be looked for in this order.
  init(_ location: LayerLocation, _ driver: any GraphDriver, _ data: [LayerDirectory]) throws(StorageError) {
    self.location = location
    parents = try driver.linkKeeping?.listedParents(of: location)
    let tarSplit = data.map { $0.tarSplit(of: location.id) }.first { Syscall.exists($0) }
    archive = tarSplit.flatMap { DiskLayer.archive(of: location, $0, driver) }
    var items: [String] = []
    for directory in data {
      for name in try directoryNames(directory.items(of: location.id)) {
        if let key = bigDataKey(ofFile: name), !items.contains(key) { items.append(key) }
      }
    }
    self.items = items
    let path = tarSplit ?? driver.directory(of: location)
    let time = try attempt("stat", path) { () throws(Errno) in try Syscall.lstat(path) }.modificationTime
    created = Timestamp(seconds: time.seconds, nanoseconds: Int32(truncatingIfNeeded: time.nanoseconds))
  }

  /// The layer's record; names, metadata and flags are lost.
  var record: LayerRecord {
    var record = LayerRecord(id: location.id, parent: parents?.first, created: created)
    record.bigDataNames = items
    if let archive {
      record.diffDigest = archive.digest
      record.diffSize = archive.size
      record.uidSet = archive.uids
      record.gidSet = archive.gids
    }
    return record
  }

  /// The archive, if it can be made, and the owners of the tree are those of the archive: else the layer has ID maps that
  /// nothing tells any more.
  private static func archive(
    of layer: LayerLocation, _ tarSplit: FilePath, _ driver: any GraphDriver
  ) -> Archive? {
    do throws(StorageError) {
      let roots = try driver.contentRoots(of: layer, over: [])
      let sink = DigestSink()
      try reassembleLayer(tarSplit: tarSplit, roots: roots, to: sink)
      let headers = try LayerHeaders(tarSplit: tarSplit, form: .extracted)
      guard try headers.haveTheirOwners(in: roots) else { return nil }
      let owners = headers.owners
      return Archive(digest: sink.digest, size: sink.count, uids: owners.uids, gids: owners.gids)
    } catch {
      Log.warning("layer \(layer.id) does not make the archive again that it came from: \(error)")
      return nil
    }
  }
}
