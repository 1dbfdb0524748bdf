// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageRecords
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Record files") struct RecordFileTests {
  @Test(arguments: ["", "\0\0\0\0"])
  func `What a power cut leaves of an unflushed file is no file, of a flushed one damage`(content: String) throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("records.json")
      try path.write(content)
      var losable = RecordFile<LayerRecord>(path, isFlushed: false)
      try losable.load()
      #expect(losable.document.records.isEmpty)
      if content.isEmpty { return }
      var kept = RecordFile<LayerRecord>(path, isFlushed: true)
      #expect(throws: StorageError.self) { try kept.load() }
    }
  }
}
