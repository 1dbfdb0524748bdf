// SPDX-License-Identifier: Apache-2.0
private import StowageModel

/// Reads the input as each kind of record file.
///
/// Invariant: what can be read comes back the same when it is written and read again.
func fuzzRecords(_ input: [UInt8]) {
  check(input, LayerRecord.self)
  check(input, ImageRecord.self)
  check(input, ContainerRecord.self)
  check(input, MountRecord.self)
}

private func check<Record: StoreRecord & Equatable>(_ data: [UInt8], _ kind: Record.Type) {
  guard let document = try? RecordDocument<Record>.parse(data) else { return }
  // Rewriting the records themselves, not the bytes they were read from.
  var changed = RecordDocument<Record>()
  for record in document.records { changed.append(record) }
  guard let again = try? RecordDocument<Record>.parse(changed.encoded()) else {
    preconditionFailure("cannot be read again")
  }
  precondition(again.records == document.records, "another record")
  precondition(again.encoded() == changed.encoded(), "other bytes")
}
