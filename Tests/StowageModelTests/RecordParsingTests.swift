// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import StowageModel

@Suite("Reading records") struct RecordParsingTests {
  private func layers(_ text: String) throws -> [LayerRecord] {
    try RecordDocument<LayerRecord>.parse(Array(text.utf8)).records
  }

  @Test(arguments: ["", "null", "[]", " [ ] ", "null\n"])
  func `Nothing, null and an empty array are empty`(text: String) throws {
    #expect(try RecordDocument<LayerRecord>.parse(Array(text.utf8)).entries.isEmpty)
  }

  @Test(arguments: [
    "{}", "[null]", "[1]", "[[]]", #"[{"id":"a"}"#, #"[{"id":"a"}] x"#, #"[{"id":"a"},]"#,
    #"[{"id":1}]"#, #"[{"id":"a","names":"n"}]"#, #"[{"id":"a","names":[1]}]"#, #"[{"id":"a","diff-size":1.0}]"#,
    #"[{"id":"a","diff-size":1e3}]"#, #"[{"id":"a","diff-size":"1"}]"#,
    #"[{"id":"a","diff-size":9223372036854775808}]"#,
    #"[{"id":"a","diff-size":01}]"#, #"[{"id":"a","uidset":[4294967296]}]"#, #"[{"id":"a","uidset":[-1]}]"#,
    #"[{"id":"a","created":""}]"#, #"[{"id":"a","created":"yesterday"}]"#, #"[{"id":"a","created":5}]"#,
    #"[{"id":"a","flags":[]}]"#, #"[{"id":"a","flags":{"x":}}]"#, "[{\"id\":\"a\nb\"}]", #"[{"id":"a\x"}]"#,
    #"[{"id":"a\u12"}]"#, #"[{id:"a"}]"#, "[", "[{", #"[{""#, #"[{"id"#, #"[{"id":"#, "nul", "[{\"id\":\"a\"}{}]",
  ])
  func `What the reference refuses is refused with a reason`(text: String) {
    let error = #expect(throws: RecordParseError.self) { try layers(text) }
    #expect(error?.reason.isEmpty == false)
  }

  @Test func `Null members are empty`() throws {
    let text =
      #"[{"id":"a","names":null,"parent":null,"metadata":null,"created":null,"diff-digest":null,"diff-size":null,"#
      + #""uidset":null,"flags":null,"uidmap":null,"big-data-names":[null]}]"#
    let record = try #require(try layers(text).first)
    var expected = LayerRecord(id: try LayerID(validating: "a"), created: .unset)
    expected.bigDataNames = [""]
    #expect(record == expected)
  }

  @Test func `Names of members match in either case, and the last one counts`() throws {
    let record = try #require(try layers(#"[{"ID":"x","Names":["n"],"names":["m"],"DIFF-size":7,"id":"a"}]"#).first)
    #expect(record.id.rawValue == "a")
    #expect(record.names == ["m"])
    #expect(record.diffSize == 7)
    #expect(record.unknownMembers.isEmpty)
  }

  @Test func `Escaped member names match, too`() throws {
    #expect(try layers(#"[{"\u0069d":"a"}]"#).first?.id.rawValue == "a")
  }

  @Test(arguments: [
    #"{"id":"../esc"}"#, #"{"id":""}"#, "{}", #"{"id":"."}"#, #"{"id":".."}"#, #"{"id":"a\u0000b"}"#,
    #"{"id":"a","parent":"../../etc"}"#,
  ])
  func `Records with unsafe identifiers are kept but not used`(element: String) throws {
    let document = try RecordDocument<LayerRecord>.parse(Array("[\(element)]".utf8))
    #expect(document.records.isEmpty)
    #expect(document.entries.first?.problem != nil)
    #expect(document.encoded() == Array("[\(element)]".utf8))
  }

  @Test func `Odd but harmless identifiers are used`() throws {
    #expect(
      try layers(#"[{"id":"has space"},{"id":"a:b"},{"id":"é"}]"#).map(\.id.rawValue) == ["has space", "a:b", "é"])
  }

  @Test func `Invalid bytes in strings become replacement characters`() throws {
    let bytes = Array(#"[{"id":"a","metadata":"x"#.utf8) + [0xFF, 0xE2, 0x82, 0xC0] + Array(#"y\ud800z"}]"#.utf8)
    let record = try #require(try RecordDocument<LayerRecord>.parse(bytes).records.first)
    #expect(record.metadata == "x\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}y\u{FFFD}z")
  }

  @Test func `Escapes are decoded`() throws {
    let record = try #require(
      try layers(#"[{"id":"a","metadata":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u003c"}]"#).first)
    #expect(record.metadata == "\"\\/\u{8}\u{C}\n\r\té😀<")
  }

  @Test func `Nesting is bounded`() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: RecordParseError.self) { try layers(#"[{"id":"a","x":"# + deep) }
    #expect(throws: RecordParseError.self) { try JSONValue(parsing: Array(deep.utf8)) }
  }

  @Test(arguments: [
    ("true", true), ("false", false), (#""true""#, false), ("1", false), ("null", false),
  ])
  func `Only the boolean true marks a layer incomplete`(value: String, expected: Bool) throws {
    let record = try #require(try layers(#"[{"id":"a","flags":{"incomplete":\#(value)}}]"#).first)
    #expect(record.isIncomplete == expected)
  }

  @Test func `Clearing the mark deletes the flag`() throws {
    var record = try #require(try layers(#"[{"id":"a","flags":{"incomplete":true}}]"#).first)
    record.isIncomplete = false
    #expect(record.flags.isEmpty)
  }
}
