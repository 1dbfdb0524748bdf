// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import StowageModel

@Suite("Reading and writing JSON") struct JSONTests {
  private func written(_ style: JSONWriter.Style, _ text: String) -> String {
    var writer = JSONWriter(style)
    writer.string(text)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func `Record files escape as the reference does`() {
    #expect(
      written(.recordFile, "a\"\\\n\r\t\u{8}\u{C}\u{1}\u{1F}\u{7F}é<>&\u{2028}\u{2029}\u{202A}\u{A0}")
        == #""a\"\\\n\r\t\u0008\u000c\u0001\u001f"# + "\u{7F}é" + #"\u003c\u003e\u0026\u2028\u2029"#
        + "\u{202A}\u{A0}\"")
  }

  @Test func `Output uses the short forms of backspace and form feed`() {
    #expect(written(.output, "\u{8}\u{C}\u{B}<") == #""\b\f\u000b\u003c""#)
  }

  @Test func `Invalid bytes are replaced in both styles`() {
    var file = JSONWriter(.recordFile)
    file.string(bytes: [0x61, 0xFF, 0x22])
    #expect(file.bytes == Array(#""a\ufffd\"""#.utf8))
    var output = JSONWriter(.output)
    output.string(bytes: [0x61, 0xFF, 0xFE])
    #expect(output.bytes == Array("\"a\u{FFFD}\u{FFFD}\"".utf8))
  }

  @Test(arguments: [
    ("1.0", "1"), ("12345678901234567890", "12345678901234567000"), ("1e21", "1e+21"),
    ("1e20", "100000000000000000000"),
    ("0.0000001", "1e-07"), ("0.000001", "0.000001"), ("-0", "-0"), ("0", "0"), ("1.50", "1.5"), ("-12.25e1", "-122.5"),
    ("1e100", "1e+100"), ("123456789.125", "123456789.125"), ("9007199254740993", "9007199254740992"),
    ("5e-324", "5e-324"), ("1.7976931348623157e308", "1.7976931348623157e+308"),
    ("999999999999999900000", "999999999999999900000"),
    ("1E2", "100"), ("0.1", "0.1"), ("100", "100"), ("1e400", "1e400"),
  ])
  func `Numbers take the form of the 64-bit float`(text: String, expected: String) throws {
    var writer = JSONWriter(.recordFile)
    writer.value(try JSONValue(parsing: Array(text.utf8)))
    #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
  }

  @Test func `Nested objects are sorted, and the last of repeated members counts`() throws {
    var writer = JSONWriter(.recordFile)
    writer.value(try JSONValue(parsing: Array(#"{"b":{"z":1,"a":[true,null,"x"]},"a":1,"b2":{},"a":2}"#.utf8)))
    #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"a":2,"b":{"a":[true,null,"x"],"z":1},"b2":{}}"#)
  }

  @Test func `Keys that differ in composition stay apart`() {
    let table: KeyedValues<Int64> = ["\u{E9}": 1, "e\u{301}": 2]
    #expect(table.count == 2)
    #expect(table["e\u{301}"] == 2)
    #expect(table.keys.map { Array($0.utf8) } == [Array("e\u{301}".utf8), Array("\u{E9}".utf8)])
  }

  @Test(arguments: ["01", "1.", ".5", "-", "1e", "+1", "tru", "\"", "[1,]", "{\"a\"}", "{,}", "[1 2]", "1 1", "", " "])
  func `Malformed texts are refused`(text: String) {
    #expect(throws: RecordParseError.self) { try JSONValue(parsing: Array(text.utf8)) }
  }

  @Test(arguments: 0..<200)
  func `Random values survive writing and reading`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let value = RandomJSON.value(&random, depth: 0)
    for style in [JSONWriter.Style.recordFile, .output] {
      var writer = JSONWriter(style)
      writer.value(value)
      let again = try JSONValue(parsing: writer.bytes)
      #expect(again == value, "seed \(seed)")
    }
  }
}
