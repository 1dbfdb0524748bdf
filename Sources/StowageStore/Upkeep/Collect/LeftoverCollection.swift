// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

extension Store {
  /// Finds and deletes what belongs to nothing: data of containers, images and layers without record, trees without
  /// record, and files of processes that died (store-semantics 23). The graph root and the image store are searched;
  /// additional stores are not.
  ///
  /// Decisions are made under the locks that creation takes; things are moved aside there, and deleted after the locks are
  /// released. After a crash the next opener deletes what was moved.
  ///
  /// - Throws: the first failure; the parts after it are done all the same.
  public func collectLeftovers() throws(StorageError) -> LeftoverReport {
    try LeftoverCollection(store: self, isDryRun: false).run()
  }

  /// Finds what ``collectLeftovers()`` would delete, and changes nothing.
  public func findLeftovers() throws(StorageError) -> LeftoverReport {
    try LeftoverCollection(store: self, isDryRun: true).run()
  }
}

/// A search for what belongs to nothing, and its deletion if that is wanted.
struct LeftoverCollection {
  let store: Store
  /// Whether finds are only told.
  let isDryRun: Bool

  /// Searches.
  ///
  /// - Throws: `corrupt`, with nothing deleted, while records are lost; the first failure; the parts after it are done all
  ///   the same.
  func run() throws(StorageError) -> LeftoverReport {
    let losses = try RecordLosses(store.topology, try store.drivers.current())
    if let loss = losses.pending.first { throw loss.refusal }
    var removal = LeftoverRemoval(isDryRun: isDryRun)
    var failure: StorageError?
    do throws(StorageError) { try searchContainers(&removal, losses) } catch { failure = error }
    do throws(StorageError) { try searchImages(&removal, losses) } catch { failure = failure ?? error }
    do throws(StorageError) { try searchLayers(&removal, losses) } catch { failure = failure ?? error }
    var report = removal.finish()
    // What the opener of the store could not delete; that layers cannot be opened is a failure of the search above.
    report.undeletable += (try? store.openLayers())?.failuresToRecover.map(\.message) ?? []
    store.reserve.refill()
    if let failure { throw failure }
    return report
  }

  private func searchLayers(_ removal: inout LeftoverRemoval, _ losses: RecordLosses) throws(StorageError) {
    try access([.driver, .layers]) { (access) throws(StorageError) in
      let layers = access.layers
      let search = try LayerLeftoverSearch(store, layers.reading, losses)
      for text in search.kept { removal.keep(text) }
      try removal.take(search.finds, layers.driver)
    }
  }

  /// Takes locks. Who only looks leaves the reserve of a full file system to those who delete.
  private func access(
    _ parts: StoreParts, _ body: (borrowing StoreWriting) throws(StorageError) -> Void
  ) throws(StorageError) {
    if isDryRun { try store.write(parts, body) } else { try store.free(parts, body) }
  }

  /// Containers are recorded before they get data, so what was listed and is nowhere recorded is left over.
  private func searchContainers(_ removal: inout LeftoverRemoval, _ losses: RecordLosses) throws(StorageError) {
    let driver = try store.drivers.current()
    try access([.containers]) { (access) throws(StorageError) in
      let containers = access.containers
      // A transient store has no stable containers, so it may have no file for them.
      guard store.topology.isTransient || containers.reading.isRecordFilePresent else { return }
      let names = try directoryNames(containers.store.directory)
      var recorded = Set(containers.reading.records.map(\.id))
      for path in store.topology.volatileContainers {
        var file = RecordFile<ContainerRecord>(path, isFlushed: false)
        try file.load()
        recorded.formUnion(file.document.records.map(\.id))
      }
      let finds = unrecordedData(names, recorded, .containerData, containers.store)
      try removal.take(held(finds, losses.first(.containers), &removal), driver)
    }
  }

  /// Directories of images for their users are in the graph root wherever the image is; other data beside an image that only
  /// another store records are a copy that was not finished.
  private func searchImages(_ removal: inout LeftoverRemoval, _ losses: RecordLosses) throws(StorageError) {
    let driver = try store.drivers.current()
    let unasked = try ForeignUses(store.topology).unasked.first
    try access([.images]) { (access) throws(StorageError) in
      let all = access.images
      let recorded = Set(all.view.tables.flatMap(\.records).map(\.id))
      for index in all.own {
        let images = all.at(index)
        let names = try directoryNames(images.store.directory)
        var finds = try copiesOfOthers(names, images, all)
        if images.reading.isRecordFilePresent { finds += unrecordedData(names, recorded, .imageData, images.store) }
        // What a caller put there may belong to an image of a store that is not configured now.
        finds.removeAll {
          // Where that cannot be told there may be something.
          $0.kind == .imageData
            && (try? HostFiles.exists($0.path.appending(BigDataFiles.callersDirectory))) ?? true
        }
        if let unasked, store.topology.role(ofImageStore: index) == store.topology.sharedRole {
          finds = keepData(finds, "containers of \(unasked) may be made from these images", &removal)
        }
        let root = images.store.directory.removingLastComponent()
        try removal.take(held(finds, losses.first(.images, in: root), &removal), driver)
      }
    }
  }

  /// The finds without data of objects whose records may be lost, which are told and stay.
  private func held(
    _ finds: [LeftoverFind], _ loss: RecordLoss?, _ removal: inout LeftoverRemoval
  ) -> [LeftoverFind] {
    guard let loss else { return finds }
    return keepData(finds, loss.reasonToKeep, &removal)
  }

  private func keepData(_ finds: [LeftoverFind], _ reason: String, _ removal: inout LeftoverRemoval) -> [LeftoverFind] {
    let data = finds.filter { $0.kind != .temporary }
    guard let first = data.first else { return finds }
    removal.keep("\(data.count) directories in \(first.path.removingLastComponent()): \(reason)")
    return finds.filter { $0.kind == .temporary }
  }

  /// Data of images that only another store that may be written records.
  private func copiesOfOthers(
    _ names: [String], _ images: borrowing RecordsWriting<ImageRecord>, _ all: borrowing ImagesWriting
  ) throws(StorageError) -> [LeftoverFind] {
    var elsewhere: Set<ImageID> = []
    for index in all.own { elsewhere.formUnion(all.at(index).reading.records.map(\.id)) }
    var finds: [LeftoverFind] = []
    for name in names {
      guard let id = ImageID(recorded: name), elsewhere.contains(id), images.reading[id] == nil else { continue }
      let directory = images.store.directory.appending(FilePath(name).components)
      let callers = BigDataFiles.callersDirectory.string
      let items = try directoryNames(directory)
      let left = items.contains(callers) ? items.filter { $0 != callers } : [""]
      finds += left.map {
        LeftoverFind(.imageData, directory.appending(FilePath($0).components), .bin(images.store.bin))
      }
    }
    return finds
  }

  /// Data directories without record whose names look like identifiers (store-semantics 23.1), and temporary files in others.
  private func unrecordedData<Record: NamedRecord>(
    _ names: [String], _ recorded: Set<Record.ID>, _ kind: Leftover.Kind, _ records: RecordStore<Record>
  ) -> [LeftoverFind] {
    var finds: [LeftoverFind] = []
    for name in names {
      guard let id = Record.ID(recorded: name) else { continue }
      let path = records.directory.appending(FilePath(name).components)
      if recorded.contains(id) {
        finds += temporaryFiles(in: path, bin: records.bin)
      } else if looksLikeIdentifier(name), (try? Syscall.lstat(path))?.isDirectory == true {
        finds.append(LeftoverFind(kind, path, .bin(records.bin)))
      }
    }
    return finds
  }
}
