// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
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
  public func collectLeftovers() throws(StorageError) -> LeftoverReport { try searchLeftovers(isDryRun: false) }

  /// Finds what ``collectLeftovers()`` would delete, and changes nothing.
  public func findLeftovers() throws(StorageError) -> LeftoverReport { try searchLeftovers(isDryRun: true) }

  private func searchLeftovers(isDryRun: Bool) throws(StorageError) -> LeftoverReport {
    var removal = LeftoverRemoval(isDryRun: isDryRun)
    var failure: StorageError?
    do throws(StorageError) { try searchContainers(&removal) } catch { failure = error }
    do throws(StorageError) { try searchImages(&removal) } catch { failure = failure ?? error }
    do throws(StorageError) { try searchLayers(&removal) } catch { failure = failure ?? error }
    let report = removal.finish()
    if let failure { throw failure }
    return report
  }

  private func searchLayers(_ removal: inout LeftoverRemoval) throws(StorageError) {
    try drivers.withLock { (driver, _) throws(StorageError) in
      try self.withLayersWriting(additional: true, driver: driver) {
        (layers: inout LayersWriting) throws(StorageError) in
        let search = try LayerLeftoverSearch(self, layers.reading)
        for text in search.kept { removal.keep(text) }
        try removal.take(search.finds, driver)
      }
    }
  }

  /// Containers are recorded before they get data, so what was listed and is nowhere recorded is left over.
  private func searchContainers(_ removal: inout LeftoverRemoval) throws(StorageError) {
    let driver = try drivers.current()
    try containerStore.withWriting { (access: inout RecordsWriting<ContainerRecord>) throws(StorageError) in
      let store = self.containerStore
      // A transient store has no stable containers, so it may have no file for them.
      guard self.topology.isTransient || store.isRecordFilePresent(access.reading) else { return }
      let names = try directoryNames(store.directory)
      var recorded = Set(access.reading.records.map(\.id))
      for path in self.topology.volatileContainers {
        var file = RecordFile<ContainerRecord>(path, isFlushed: false)
        try file.load()
        recorded.formUnion(file.document.records.map(\.id))
      }
      try removal.take(self.unrecordedData(names, recorded, .containerData, store), driver)
    }
  }

  /// Directories of images for their users are in the graph root wherever the image is: an identifier that any store
  /// records is not left over.
  private func searchImages(_ removal: inout LeftoverRemoval) throws(StorageError) {
    let driver = try drivers.current()
    for store in imageStores where store.isWritable {
      let others = try withImages { (view) throws(StorageError) in Set(view.tables.flatMap(\.records).map(\.id)) }
      try store.withWriting { (access: inout RecordsWriting<ImageRecord>) throws(StorageError) in
        guard store.isRecordFilePresent(access.reading) else { return }
        let names = try directoryNames(store.directory)
        let recorded = others.union(access.reading.records.map(\.id))
        var finds = self.unrecordedData(names, recorded, .imageData, store)
        // What a caller put there may belong to an image of a store that is not configured now.
        finds.removeAll { $0.kind == .imageData && Syscall.exists($0.path.appending("userdata")) }
        try removal.take(finds, driver)
      }
    }
  }

  /// Data directories without record whose names look like identifiers (store-semantics 23.1), and temporary files in others.
  private func unrecordedData<Record: NamedRecord>(
    _ names: [String], _ recorded: Set<Record.ID>, _ kind: Leftover.Kind, _ store: RecordStore<Record>
  ) -> [LeftoverFind] {
    var finds: [LeftoverFind] = []
    for name in names {
      guard let id = Record.ID(recorded: name) else { continue }
      let path = store.directory.appending(FilePath(name).components)
      if recorded.contains(id) {
        finds += temporaryFiles(in: path, bin: store.bin)
      } else if looksLikeIdentifier(name), (try? Syscall.lstat(path))?.isDirectory == true {
        finds.append(LeftoverFind(kind, path, .bin(store.bin)))
      }
    }
    return finds
  }
}
