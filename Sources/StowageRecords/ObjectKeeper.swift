// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// Looks after the data directories of images or containers.
package struct ObjectKeeper<Record: NamedRecord & BigDataRecord>: RecordKeeper {
  private let directory: FilePath
  private let refuseWriting: @Sendable (FilePath) throws(StorageError) -> Void
  private let recordedElsewhere: @Sendable () throws(StorageError) -> Set<Record.ID>

  /// Looks after the directories in one directory.
  ///
  /// - Parameters:
  ///   - refuseWriting: throws if a record file that is not there or empty must not be written.
  ///   - recordedElsewhere: objects that another store records which may be written, as long as no record is lost: a second
  ///     directory of their data is what a killed move left.
  package init(
    directory: FilePath, refuseWriting: @escaping @Sendable (FilePath) throws(StorageError) -> Void = { _ in },
    recordedElsewhere: @escaping @Sendable () throws(StorageError) -> Set<Record.ID> = { [] }
  ) {
    self.directory = directory
    self.refuseWriting = refuseWriting
    self.recordedElsewhere = recordedElsewhere
  }

  package func hasLeavings(_ table: RecordTable<Record>) -> Bool { !leavings(table).isEmpty }

  package func judge(
    _ findings: inout RecordTable<Record>.Findings, _ table: RecordTable<Record>, isReloaded: Bool
  ) throws(StorageError) {}

  package func willSave(_ table: RecordTable<Record>) throws(StorageError) {
    for file in table.files where file.isDirty && file.isAbsentOrEmpty { try refuseWriting(file.path) }
  }

  package func didSave(_ table: RecordTable<Record>) throws(StorageError) {}

  /// Puts right what a load has found: item changes that were not finished, names given twice; and, for who came to change
  /// something, data that are surely nobody's.
  package func repair(
    _ findings: RecordTable<Record>.Findings, _ access: borrowing RecordsWriting<Record>
  ) throws(StorageError) {
    ItemUpdate.settle(in: directory, access.reading.records)
    StaleFiles.remove(in: access.store.places.written)
    for path in access.collects ? access.reading.ask({ leavings($0) }) : [] {
      Log.warning("removing \(path), the data of an object that is not recorded")
      do throws(StorageError) { try removeTree(path) } catch { Log.warning("\(error)") }
    }
    access.change { $0.repairNames(findings) }
    try access.save()
  }

  /// Data directories without a record that are surely nobody's: empty ones, and those of objects that are recorded in another
  /// store.
  ///
  /// All else may be all that is left of records that another program began anew: neither a whole object nor a part of one shows
  /// that it was just being made or deleted. The ties of layers show that, and whoever asks for garbage collection decides it.
  private func leavings(_ table: RecordTable<Record>) -> [FilePath] {
    // A record file that is missing or torn to nothing proves nothing: then all data would look unrecorded. Nor does one that
    // was restored as far as that was possible, nor a directory that cannot be read.
    guard Record.areAllRecordedTogether, !table.files.contains(where: \.isAbsentOrEmpty),
      let names = try? Syscall.directoryNames(directory),
      !table.files.contains(where: { file in names.contains { file.isKeptCopy($0) } }),
      !table.files.contains(where: { $0.document.entries.contains { $0.problem != nil } })
    else { return [] }
    var elsewhere: Set<Record.ID>?
    return names.compactMap { bytes -> FilePath? in
      let name = String(decoding: bytes, as: UTF8.self)
      guard looksLikeIdentifier(name), let id = Record.ID(recorded: name), table[id] == nil else { return nil }
      let path = directory.appending(name)
      // A directory that cannot be read may have a caller's files: it stays.
      guard let items = try? Syscall.directoryNames(path) else { return nil }
      if items.isEmpty { return path }
      if items.contains(where: { $0.elementsEqual(BigDataFiles.callersDirectory.string.utf8) }) { return nil }
      // While others cannot be asked nothing shows that they have it.
      let recorded = elsewhere ?? (try? recordedElsewhere()) ?? []
      elsewhere = recorded
      return recorded.contains(id) ? path : nil
    }
  }
}

extension RecordStores where Record: BigDataRecord {
  /// Takes the locks shared; the records are fresh, and repaired if need be. See
  /// ``RecordStores/beginReading(includingOthers:attempts:failure:repair:)``.
  package func beginReading(includingOthers: Bool = true) throws(StorageError) -> RecordsHold<Record> {
    let text = "(even after successfully cleaning up once:) \(StorageError.Code.duplicateName.text)"
    return try beginReading(
      includingOthers: includingOthers, attempts: 2, failure: StorageError(.corrupt, text)
    ) { (store) throws(StorageError) in
      try RecordStores([store]).beginWriting(includingOthers: false, collects: false).release()
    }
  }

  /// Takes the locks of what may be written exclusively; the records are fresh and repaired. See
  /// ``RecordStores/beginWriting(includingOthers:collects:repair:)``.
  ///
  /// - Parameter collects: whether data that are nobody's are removed, too.
  package func beginWriting(includingOthers: Bool, collects: Bool = true) throws(StorageError) -> RecordsHold<Record> {
    try beginWriting(includingOthers: includingOthers, collects: collects) {
      (hold, index, findings) throws(StorageError) in
      try hold.stores.all[index].repair(findings, hold.writing(index))
    }
  }
}
