// SPDX-License-Identifier: Apache-2.0
import StowageModel

/// Reads the input as each kind of record file. What can be read must come back the same when it is written and read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let data = Array(UnsafeBufferPointer(start: start, count: count))
  check(data, LayerRecord.self)
  check(data, ImageRecord.self)
  check(data, ContainerRecord.self)
  check(data, MountRecord.self)
  return 0
}

private func check<Record: StoreRecord & Equatable>(_ data: [UInt8], _ kind: Record.Type) {
  guard let document = try? RecordDocument<Record>.parse(data) else { return }
  // Rewriting the records themselves, not the bytes they were read from.
  var changed = RecordDocument<Record>()
  for record in document.records { changed.append(record) }
  guard let again = try? RecordDocument<Record>.parse(changed.encoded()) else { fatalError("cannot be read again") }
  if again.records != document.records { fatalError("another record") }
  if again.encoded() != changed.encoded() { fatalError("other bytes") }
}
