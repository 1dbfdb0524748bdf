// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

// What makes an object clears what stands in its place. What a process left that died while it made one has an incomplete
// record, and goes with that when the records are loaded; all else may be somebody's whose record is lost.
extension StoreTopology {
  /// Refuses to make a layer where a tree, a tar-split file or items stand that a lost record may name, or that another record
  /// names which is not asked otherwise. Needs the layer locks exclusively, and must come before anything is changed.
  ///
  /// - Throws: `corrupt`; `duplicateID` if the layer is recorded in the other mode, transient or not.
  func refuseClearing(_ layer: LayerLocation, _ driver: any GraphDriver) throws(StorageError) {
    var places = [driver.directory(of: layer)]
    for data in layers.dataSearch { places += [data.tarSplit(of: layer.id), data.items(of: layer.id)] }
    guard let place = try firstStanding(places) else { return }
    var search = LossSearch(self, driver)
    if search.isOwn(layer.id) { throw StorageError(.duplicateID, subject: layer.id.rawValue, path: place.string) }
    try refuseClearing(place, &search)
  }

  /// The same for a second tree of a layer that is recorded.
  func refuseClearingTree(_ layer: LayerLocation, _ driver: any GraphDriver) throws(StorageError) {
    guard let place = try firstStanding([driver.directory(of: layer)]) else { return }
    var search = LossSearch(self, driver)
    try refuseClearing(place, &search)
  }

  /// The same for an image or container whose items stand in a directory. What was not restored keeps nobody from writing them
  /// again. Needs the lock of the records exclusively.
  ///
  /// - Throws: `corrupt`.
  func refuseOverwriting(itemsIn directory: FilePath) throws(StorageError) {
    if !hasItems(directory) { return }
    var search = LossSearch(self) { _ in false }
    for file in recordFiles { if let loss = try search.pending(of: file) { throw loss.refusal(toClear: directory) } }
  }

  private func firstStanding(_ places: [FilePath]) throws(StorageError) -> FilePath? {
    for place in places where try HostFiles.exists(place, followingLinks: false) { return place }
    return nil
  }

  private func refuseClearing(_ place: FilePath, _ search: inout LossSearch) throws(StorageError) {
    // While a registration cannot be read it is not known what another graph root needs.
    _ = try ForeignUses(self)
    for file in recordFiles { if let loss = try search.losses(of: file).first { throw loss.refusal(toClear: place) } }
  }
}

/// Whether an object's own directory has more than what callers put there, which says nothing about who recorded the object where.
func hasItems(_ directory: FilePath) -> Bool {
  do throws(Errno) {
    return try Syscall.directoryNames(directory).contains { !$0.elementsEqual("userdata".utf8) }
  } catch {
    // One that cannot be read is there.
    return error != .noSuchFileOrDirectory && error != .notDirectory
  }
}
