// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// Looks after the data directories of images or containers.
package struct ObjectKeeper<Record: NamedRecord & BigDataRecord>: RecordKeeper {
  private let directory: FilePath
  private let refuseWriting: @Sendable (FilePath) throws(StorageError) -> Void
  private let namedElsewhere: @Sendable () throws(StorageError) -> Set<Record.ID>

  /// Looks after the directories in one directory.
  ///
  /// - Parameters:
  ///   - refuseWriting: throws if a record file that is not there or empty must not be written.
  ///   - namedElsewhere: objects that other records name: if they are not recorded, their records are lost.
  package init(
    directory: FilePath, refuseWriting: @escaping @Sendable (FilePath) throws(StorageError) -> Void = { _ in },
    namedElsewhere: @escaping @Sendable () throws(StorageError) -> Set<Record.ID> = { [] }
  ) {
    self.directory = directory
    self.refuseWriting = refuseWriting
    self.namedElsewhere = namedElsewhere
  }

  package func hasLeavings(_ table: RecordTable<Record>) -> Bool { !orphans(table).isEmpty }

  package func judge(
    _ findings: inout RecordTable<Record>.Findings, _ table: RecordTable<Record>, isReloaded: Bool
  ) throws(StorageError) {}

  package func willSave(_ table: RecordTable<Record>) throws(StorageError) {
    for file in table.files where file.isDirty && file.isAbsentOrEmpty { try refuseWriting(file.path) }
  }

  package func didSave(_ table: RecordTable<Record>) throws(StorageError) {}

  /// Puts right what a load has found: item changes that were not finished, data of objects that are not recorded, names
  /// given twice.
  package func repair(
    _ findings: RecordTable<Record>.Findings, _ access: borrowing RecordsWriting<Record>
  ) throws(StorageError) {
    ItemUpdate.settle(in: directory, access.reading.records)
    StaleFiles.remove(in: access.store.places.written)
    for path in access.reading.ask({ orphans($0) }) {
      Log.warning("removing \(path), the data of an object that is not recorded")
      do throws(StorageError) { try removeTree(path) } catch { Log.warning("\(error)") }
    }
    access.change { $0.repairNames(findings) }
    try access.save()
  }

  /// Data directories of objects that were never recorded, or whose record is gone.
  ///
  /// Only names that look like identifiers count, and no directory with files of a caller.
  private func orphans(_ table: RecordTable<Record>) -> [FilePath] {
    // A record file that is missing or torn to nothing proves nothing: then all data would look unrecorded. Nor does one that
    // was restored as far as that was possible, nor a directory that cannot be read.
    guard Record.areAllRecordedTogether, !table.files.contains(where: \.isAbsentOrEmpty),
      let names = try? Syscall.directoryNames(directory),
      !table.files.contains(where: { file in names.contains { file.isKeptCopy($0) } })
    else { return [] }
    let orphans = names.compactMap { bytes -> (id: Record.ID, path: FilePath)? in
      let name = String(decoding: bytes, as: UTF8.self)
      guard looksLikeIdentifier(name), let id = Record.ID(recorded: name), table[id] == nil else { return nil }
      let path = directory.appending(name)
      // Where that cannot be told there may be some.
      return (try? HostFiles.exists(path.appending(BigDataFiles.callersDirectory))) == false ? (id, path) : nil
    }
    if orphans.isEmpty { return [] }
    // While a record cannot be used, or others cannot be asked, all of them may be somebody's.
    let isUncertain = table.files.contains { $0.document.entries.contains { $0.problem != nil } }
    guard !isUncertain, let named = try? namedElsewhere() else { return [] }
    return orphans.filter { !named.contains($0.id) }.map(\.path)
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
      try RecordStores([store]).beginWriting(includingOthers: false).release()
    }
  }

  /// Takes the locks of what may be written exclusively; the records are fresh and repaired. See
  /// ``RecordStores/beginWriting(includingOthers:repair:)``.
  package func beginWriting(includingOthers: Bool) throws(StorageError) -> RecordsHold<Record> {
    try beginWriting(includingOthers: includingOthers) { (hold, index, findings) throws(StorageError) in
      try hold.stores.all[index].repair(findings, hold.writing(index))
    }
  }
}
