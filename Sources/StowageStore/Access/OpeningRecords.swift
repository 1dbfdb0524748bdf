// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

extension RecordStores where Record == ImageRecord {
  /// Opens the image stores, in search order.
  init(images topology: StoreTopology, _ timeout: Duration?) throws(StorageError) {
    var stores: [RecordStore<ImageRecord>] = []
    for (index, places) in topology.images.enumerated() {
      stores.append(
        try RecordStore.opened(
          topology,
          RecordPlaces(
            directory: places.directory, bin: places.bin, files: [RecordFile(places.place.records, isFlushed: true)],
            locks: [places.place.lock], ranks: [index == 0 ? .images : .secondaryImages(index)], timeout: timeout,
            isWritable: places.isWritable, written: [places.directory], repeatedNames: .duplicateImageNames)))
    }
    self.init(stores)
  }
}

extension RecordStores where Record == ContainerRecord {
  /// Opens the container store.
  init(containers topology: StoreTopology, _ timeout: Duration?) throws(StorageError) {
    let places = topology.containers
    self.init([
      try RecordStore.opened(
        topology,
        RecordPlaces(
          directory: places.directory, bin: places.bin,
          files: places.documents.enumerated().map { RecordFile($1, isFlushed: $0 == 0) }, locks: places.locks,
          ranks: places.locks.indices.map { .containers($0) }, timeout: timeout,
          isWritable: !topology.roots.isReadOnly,
          written: [places.directory] + places.documents.map { $0.removingLastComponent() },
          repeatedNames: .duplicateName))
    ])
  }
}

extension RecordStore where Record: BigDataRecord {
  /// Opens a store of records, and looks at them once. Damaged ones do not keep anybody from what does not need them.
  fileprivate static func opened(
    _ topology: StoreTopology, _ places: RecordPlaces<Record>
  ) throws(StorageError) -> RecordStore {
    if places.isWritable { try makeDirectories(places.directory, mode: 0o700, isDurable: true) }
    let keeper = ObjectKeeper<Record>(
      directory: places.directory,
      refuseWriting: { (path) throws(StorageError) in try topology.refuseWriting(path) },
      recordedElsewhere: { () throws(StorageError) in
        Set(try topology.imagesWithoutLoss().compactMap { Record.ID(recorded: $0.rawValue) })
      })
    let store = try RecordStore(places, keeper)
    do throws(StorageError) { try RecordStores([store]).beginReading().release() } catch  where error.code == .corrupt {
      Log.debug("\(error)")
    }
    return store
  }
}
