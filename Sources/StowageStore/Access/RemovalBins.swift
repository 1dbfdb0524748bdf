// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// What an access removes: it is moved into bins under the locks, and deleted after these are released. For one thread.
final class RemovalBins {
  private var removal = DeferredRemoval()

  /// Runs `body`, which may move things into the bins.
  func fill(_ body: (inout DeferredRemoval) throws(StorageError) -> Void) throws(StorageError) { try body(&removal) }

  /// Moves a file or tree into the bin below a directory; nothing if there is none.
  func add(_ path: FilePath, bin: FilePath) throws(StorageError) {
    try fill { (bins) throws(StorageError) in _ = try bins.add(path, bin: bin) }
  }

  /// Forgets the records of images or containers, then moves their data directories into a bin.
  func remove<Record: NamedRecord>(
    _ ids: [Record.ID], from records: borrowing RecordsWriting<Record>
  ) throws(StorageError) {
    try fill { (bins) throws(StorageError) in try records.remove(ids, into: &bins) }
  }

  /// Makes sure that nothing that was moved comes back after a power cut.
  func flush() throws(StorageError) { try removal.flush() }

  /// Deletes everything, without locks. What stays is told: its record is gone, and nobody would look for it.
  func empty() {
    var bins = DeferredRemoval()
    swap(&bins, &removal)
    do throws(StorageError) { try bins.empty() } catch {
      Log.error("files of what was deleted are left, and each later command tries again: \(error)")
    }
  }
}
