// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// What a kind of records has beside its files, and what is to be done there when these are loaded and saved.
///
/// Everything is called with the store's lock held, and must not ask the same store.
package protocol RecordKeeper<Record>: Sendable {
  /// The kind of records.
  associatedtype Record: NamedRecord

  /// Whether a process that died left something that only the exclusive lock can put right. Asked when records are loaded,
  /// until it is answered with false.
  func hasLeavings(_ table: RecordTable<Record>) -> Bool

  /// Makes what is beside the records fresh, too, and takes off the findings what is no fault.
  ///
  /// - Parameter isReloaded: whether the records are others than at the last call.
  /// - Throws: anything; then the records are not taken for fresh.
  func judge(
    _ findings: inout RecordTable<Record>.Findings, _ table: RecordTable<Record>, isReloaded: Bool
  ) throws(StorageError)

  /// Puts right what a load has found, with the lock held exclusively, as far as the records and this keeper know how.
  ///
  /// - Throws: `system`.
  func repair(
    _ findings: RecordTable<Record>.Findings, _ access: borrowing RecordsWriting<Record>
  ) throws(StorageError)

  /// Called before the records are saved; what it throws stops the save.
  func willSave(_ table: RecordTable<Record>) throws(StorageError)

  /// Called when all files of records are saved.
  func didSave(_ table: RecordTable<Record>) throws(StorageError)
}

/// Keeps nothing beside the records.
package struct PlainKeeper<Record: NamedRecord>: RecordKeeper {
  /// There is nothing to know.
  package init() {}

  package func hasLeavings(_ table: RecordTable<Record>) -> Bool { false }

  package func judge(
    _ findings: inout RecordTable<Record>.Findings, _ table: RecordTable<Record>, isReloaded: Bool
  ) throws(StorageError) {}

  package func repair(
    _ findings: RecordTable<Record>.Findings, _ access: borrowing RecordsWriting<Record>
  ) throws(StorageError) {}

  package func willSave(_ table: RecordTable<Record>) throws(StorageError) {}

  package func didSave(_ table: RecordTable<Record>) throws(StorageError) {}
}
