// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import StowageModel

@Suite("Records read and written again") struct RecordRoundTripTests {
  /// Every record decoded and encoded anew, nothing copied.
  private func reencoded<R: StoreRecord>(_ text: String, as: R.Type) throws -> String {
    let document = try RecordDocument<R>.parse(Array(text.utf8))
    var fresh = RecordDocument<R>()
    for entry in document.entries { fresh.append(try #require(entry.record)) }
    return String(decoding: fresh.encoded(), as: UTF8.self)
  }

  @Test(arguments: [
    ReferenceFiles.overlayLayers, ReferenceFiles.splitGraphLayers, ReferenceFiles.splitImageLayers,
    ReferenceFiles.vfsLayers, ReferenceFiles.oldPodmanLayers, ReferenceFiles.newPodmanLayers,
  ])
  func `Layers of the reference encode to the same bytes`(file: String) throws {
    #expect(try reencoded(file, as: LayerRecord.self) == file)
  }

  @Test(arguments: [ReferenceFiles.overlayImages, ReferenceFiles.oldPodmanImages, ReferenceFiles.newPodmanImages])
  func `Images of the reference encode to the same bytes`(file: String) throws {
    #expect(try reencoded(file, as: ImageRecord.self) == file)
  }

  @Test(arguments: [ReferenceFiles.overlayContainers, ReferenceFiles.vfsContainers])
  func `Containers of the reference encode to the same bytes`(file: String) throws {
    #expect(try reencoded(file, as: ContainerRecord.self) == file)
  }

  @Test func `Odd texts are rewritten as Debian's program does`() throws {
    let document = try RecordDocument<LayerRecord>.parse(Array(ReferenceFiles.oddBefore.utf8))
    var fresh = RecordDocument<LayerRecord>()
    for var record in document.records {
      if record.id.rawValue == "b" { record.names = ["y"] }
      fresh.append(record)
    }
    #expect(String(decoding: fresh.encoded(), as: UTF8.self).hasSameBytes(as: ReferenceFiles.oddAfter))
  }

  @Test func `Every member has its place and its value`() throws {
    let text =
      #"[{"id":"a","names":["n","m"],"parent":"p","metadata":"{\"x\":1}","mountlabel":"l","#
      + #""created":"2026-01-02T03:04:05.5+02:00","compressed-diff-digest":"sha256:00","compressed-size":5,"#
      + #""diff-digest":"sha256:11","toc-digest":"sha256:22","diff-size":-1,"compression":9,"uidset":[0,4294967295],"#
      + #""gidset":[7],"flags":{"a":1.5,"incomplete":true},"uidmap":[{"container_id":0,"host_id":100000,"size":65536}],"#
      + #""gidmap":[{"container_id":1,"host_id":2,"size":3}],"big-data-names":["toc"]}]"#
    let record = try #require(try RecordDocument<LayerRecord>.parse(Array(text.utf8)).records.first)
    #expect(record.names == ["n", "m"])
    #expect(record.parent?.rawValue == "p")
    #expect(record.metadata == #"{"x":1}"#)
    #expect(record.created.seconds == 1_767_315_845)
    #expect(record.diffSize == -1)
    #expect(record.uidSet == [0, 4_294_967_295])
    #expect(record.isIncomplete)
    #expect(record.compression == .none)
    #expect(record.idMaps.uids == [IDMapping(containerID: 0, hostID: 100_000, size: 65536)])
    #expect(try reencoded(text, as: LayerRecord.self) == text)
  }

  @Test func `Empty members are left out, except those that never are`() throws {
    var layers = RecordDocument<LayerRecord>()
    layers.append(LayerRecord(id: try LayerID(validating: "l"), created: .unset))
    #expect(String(decoding: layers.encoded(), as: UTF8.self) == #"[{"id":"l","created":"0001-01-01T00:00:00Z"}]"#)
    var containers = RecordDocument<ContainerRecord>()
    containers.append(
      ContainerRecord(id: try ContainerID(validating: "c"), layer: try LayerID(validating: "l"), created: .unset))
    #expect(
      String(decoding: containers.encoded(), as: UTF8.self)
        == #"[{"id":"c","image":"","layer":"l","created":"0001-01-01T00:00:00Z"}]"#)
    var mounts = RecordDocument<MountRecord>()
    mounts.append(MountRecord(id: try LayerID(validating: "l"), path: "/m", count: 2))
    #expect(String(decoding: mounts.encoded(), as: UTF8.self) == #"[{"id":"l","path":"/m","count":2}]"#)
    #expect(RecordDocument<ImageRecord>().encoded() == Array("[]".utf8))
  }

  @Test func `Untouched records are copied byte for byte`() throws {
    let odd = #"{ "ID" : "a", "x":[1.0, 12345678901234567890], "flags":{"n":1.0} }"#
    let text = "[\(odd),{\"id\":\"b\"},{\"id\":\"../esc\"},{\"id\":\"b\",\"names\":[\"second\"]}]"
    var document = try RecordDocument<LayerRecord>.parse(Array(text.utf8))
    #expect(document.encoded() == Array(text.utf8))
    #expect(document.entries.count == 4)
    var changed = try #require(document.entries[1].record)
    changed.names = ["new"]
    document.replace(at: 1, with: changed)
    let expected = text.replacingOnce(
      #"{"id":"b"}"#, #"{"id":"b","names":["new"],"created":"0001-01-01T00:00:00Z"}"#)
    #expect(String(decoding: document.encoded(), as: UTF8.self) == expected)
    document.remove(at: 0)
    #expect(document.count == 3)
    #expect(document.encoded().starts(with: Array(#"[{"id":"b","names""#.utf8)))
  }

  @Test func `Changed records keep unknown members after the known ones`() throws {
    let text = #"[{"zz":{"b":1.0,"a":[ ]},"id":"a","aa":"\u00e9","flags":{"n":1.0,"big":12345678901234567890}}]"#
    let expected =
      #"[{"id":"a","created":"0001-01-01T00:00:00Z","flags":{"big":12345678901234567000,"n":1},"#
      + #""zz":{"b":1.0,"a":[ ]},"aa":"\u00e9"}]"#
    #expect(try reencoded(text, as: LayerRecord.self) == expected)
  }

  /// The reference reads flags as maps: members in byte order, the last of a repeated name.
  @Test func `Repeated members inside flags become the last`() throws {
    let text = #"[{"id":"a","flags":{"f":{"z":1,"b":[{"q":1,"q":2}],"z":3}}}]"#
    let plain = #"[{"id":"a","flags":{"f":{"b":[{"q":2}],"z":3}}}]"#
    #expect(
      try RecordDocument<LayerRecord>.parse(Array(text.utf8)).records
        == RecordDocument<LayerRecord>.parse(Array(plain.utf8)).records)
  }
}

extension String {
  fileprivate func replacingOnce(_ text: String, _ other: String) -> String {
    guard let range = firstRange(of: text) else { return self }
    return replacingCharacters(range, other)
  }

  private func firstRange(of text: String) -> Range<String.Index>? {
    var index = startIndex
    while index < endIndex {
      if self[index...].hasPrefix(text) { return index..<self.index(index, offsetBy: text.count) }
      index = self.index(after: index)
    }
    return nil
  }

  private func replacingCharacters(_ range: Range<String.Index>, _ other: String) -> String {
    String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
  }
}
