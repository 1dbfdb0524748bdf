// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageTestSupport
import SystemPackage
import Testing

@testable import StowageRecords

@Suite("Tables of records") struct RecordTableTests {
  /// What is not indexed anew must be what a load would say.
  @Test(.tags(.slow), arguments: 0..<8 as Range<UInt64>)
  func `A table that records come to and go from is what a load of its files gives`(seed: UInt64) throws {
    try withTemporaryDirectory { directory in
      var random = SeededGenerator(seed: seed)
      let ids = try (0..<8).map { try ImageID(validating: String(repeating: "\($0)", count: 64)) }
      let names = (0..<6).map { "name\($0)" }
      let paths = ["a.json", "b.json"].map { directory.appending($0) }
      var table = RecordTable<ImageRecord>(paths.map { RecordFile($0, isFlushed: false) })
      _ = try table.load()
      for step in 0..<80 {
        let id = ids[Int.random(in: 0..<ids.count, using: &random)]
        let places = table.positions(of: id)
        if places.count < 2, Bool.random(using: &random) {
          // A record comes with names that are free; a copy of one in the other file has any names.
          let wanted = names.filter { _ in Bool.random(using: &random) }
          let file = places.first.map { 1 - $0.file } ?? Int.random(in: 0...1, using: &random)
          let free = places.isEmpty ? wanted.filter { table.owner(ofName: $0) == nil } : wanted
          table.append(ImageRecord(id: id, names: free), file: file)
        } else if let place = places.randomElement(using: &random) {
          table.remove(at: place)
        }
        for index in table.files.indices { try table.files[index].save() }
        var loaded = RecordTable<ImageRecord>(paths.map { RecordFile($0, isFlushed: false) })
        _ = try loaded.load()
        #expect(table.records == loaded.records, "step \(step)")
        #expect(table.recordCount == loaded.recordCount, "step \(step)")
        for id in ids {
          #expect(table.positions(of: id).map(\.file) == loaded.positions(of: id).map(\.file), "step \(step)")
        }
        for name in names { #expect(table.owner(ofName: name) == loaded.owner(ofName: name), "step \(step)") }
      }
    }
  }

  @Test func `A removed record leaves the others where they are, and the file without a gap`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("images.json")
      try path.write(#"[{"id":"a","x":1},{"id":"../b"},{"id":"c"},{"id":"d"}]"#)
      var table = RecordTable<ImageRecord>([RecordFile(path, isFlushed: false)])
      _ = try table.load()
      let last = try #require(ImageID(recorded: "d"))
      let place = table.position(of: last)
      table.remove(try #require(ImageID(recorded: "a")))
      table.remove(try #require(ImageID(recorded: "c")))
      #expect(table.position(of: last) == place)
      try table.files[0].save()
      #expect(try path.readText() == #"[{"id":"../b"},{"id":"d"}]"#)
    }
  }
}
