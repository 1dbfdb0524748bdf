// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import StowageConfig

/// Expected values: the TOML 1.0 specification and its examples.
@Suite("Reading TOML") struct TOMLTests {
  /// A value without its place.
  private enum Plain: Equatable {
    case string(String), integer(Int64), bool(Bool), float(Double), array([Plain]), table([String: Plain]), other

    init(_ value: ConfigurationValue) {
      switch value.content {
      case .string(let text): self = .string(text)
      case .integer(let number): self = .integer(number)
      case .bool(let flag): self = .bool(flag)
      case .float(let number): self = .float(number)
      case .array(let values): self = .array(values.map(Plain.init))
      case .table(let table): self = .table(table.mapValues { Plain($0.value) })
      case .other: self = .other
      }
    }
  }

  private func read(_ text: String) throws -> [String: Plain] {
    try readTOML(Array(text.utf8)).mapValues { Plain($0.value) }
  }

  @Test(arguments: [
    ("\"a\\tb\\u00e9\\U0001F600\\\"\\\\\"", "a\tbé😀\"\\"), ("'C:\\n'", "C:\\n"), ("\"\"", ""), ("''", ""),
    ("\"\"\"\nRoses\nViolets\"\"\"", "Roses\nViolets"), ("\"\"\"The \\\n\n   fox\"\"\"", "The fox"),
    ("\"\"\"two \"\" quotes\"\"\"\"\"", "two \"\" quotes\"\""), ("'''\n'x' ''y'''", "'x' ''y"),
    ("'''''x'''''", "''x''"), ("\"\"\"\"\"\\\"x\"\"\"\"", "\"\"\"x\""), ("\"\"\"\\\"\"\"\"", "\""),
  ])
  func `Strings of the four kinds are read`(text: String, expected: String) throws {
    #expect(try read("k = \(text)")["k"] == .string(expected))
  }

  @Test(
    arguments: [
      ("0", 0), ("+99", 99), ("-17", -17), ("1_000", 1000), ("0xDEAD_beef", 3_735_928_559), ("0o755", 493),
      ("0b1101", 13), ("-0", 0), ("9223372036854775807", .max), ("-9223372036854775808", .min),
    ] as [(String, Int64)])
  func `Integers of all bases are read`(text: String, expected: Int64) throws {
    #expect(try read("k=\(text)")["k"] == .integer(expected))
  }

  @Test(arguments: [
    ("3.14", 3.14), ("-0.01", -0.01), ("5e+22", 5e22), ("1e06", 1e6), ("6.626e-34", 6.626e-34), ("inf", .infinity),
  ])
  func `Floating-point numbers of all forms are read`(text: String, expected: Double) throws {
    #expect(try read("k=\(text)")["k"] == .float(expected))
  }

  @Test(arguments: [
    "1979-05-27T07:32:00Z", "1979-05-27 07:32:00", "1979-05-27", "07:32:00.5", "1979-05-27T00:32:00-07:00",
  ])
  func `Dates are recognised`(text: String) throws { #expect(try read("k = \(text)")["k"] == .other) }

  @Test func `Tables nest by headers, by dotted keys and inline`() throws {
    let document = try read(
      "a.b = 1 # c\r\na.\"c d\" = [1, [2,], 'x', # c\n]\n[x.y]\nk = {p.q = true, 'r' = {}}\n[x]\nz = false\n[[t]]\nn=1\n[t.u]\n[[t]]\nn=2"
    )
    #expect(
      document["a"] == .table(["b": .integer(1), "c d": .array([.integer(1), .array([.integer(2)]), .string("x")])]))
    #expect(
      document["x"]
        == .table([
          "y": .table(["k": .table(["p": .table(["q": .bool(true)]), "r": .table([:])])]), "z": .bool(false),
        ]))
    #expect(
      document["t"] == .array([.table(["n": .integer(1), "u": .table([:])]), .table(["n": .integer(2)])]))
  }

  @Test(arguments: [
    ("a = 1\na = 2", 2, 1), ("[a]\n[a]", 2, 1), ("a.b=1\na=2", 2, 1), ("a=1\na.b=2", 2, 1), ("a={}\n[a.b]", 2, 1),
    ("[a]\nb.c=1\n[a.b]", 3, 1), ("a=[]\n[[a]]", 2, 1), ("[a.b]\n[a]\nb.c=1", 3, 1), ("= 1", 1, 1), ("a", 1, 2),
    ("a = ", 1, 5), ("a = 1 b = 2", 1, 7), ("a = 01", 1, 5), ("a = 1__0", 1, 5), ("a = _1", 1, 5), ("a = 1.", 1, 5),
    ("a = .5", 1, 5), ("a = 9223372036854775808", 1, 5), ("a = \"x", 1, 5), ("a = 'x\ny'", 1, 7),
    ("a = \"\\q\"", 1, 6), ("a = \"\\ud800\"", 1, 6), ("a = [1 2]", 1, 8), ("a = {b=1,}", 1, 10), ("a = {b=1\n}", 1, 9),
    ("[a", 1, 3), ("[]", 1, 2), ("[[a]", 1, 5), ("a = True", 1, 5), ("a..b = 1", 1, 3), ("a = \"\u{1}\"", 1, 6),
    ("# \u{1}", 1, 3), ("a = '''x", 1, 5), ("a = \"\"\"x\"\"", 1, 5), ("a = 0xg", 1, 5), ("a = 1e", 1, 5),
  ])
  func `Malformed documents are refused with line and column`(text: String, line: Int, column: Int) {
    let problem = #expect(throws: ConfigurationProblem.self) { try read(text) }
    #expect(problem?.text.hasPrefix("toml: line \(line), column \(column): ") == true, "\(problem?.text ?? "")")
  }

  @Test func `Values and keys know their places`() throws {
    let document = try readTOML(Array("# é\r\nk = 1\n\n[ a . \"b\" ]\n  x.y = [ 'é', 2 ]\n".utf8))
    #expect(document["k"]?.keyPosition == TextPosition(line: 2, column: 1))
    #expect(document["k"]?.value.position == TextPosition(line: 2, column: 5))
    guard case .table(let a)? = document["a"]?.value.content, case .table(let b)? = a["b"]?.value.content,
      case .table(let x)? = b["x"]?.value.content, case .array(let items)? = x["y"]?.value.content
    else { Issue.record("the tables are missing"); return }
    #expect(a["b"]?.keyPosition == TextPosition(line: 4, column: 7))
    #expect(b["x"]?.keyPosition == TextPosition(line: 5, column: 3))
    #expect(x["y"]?.keyPosition == TextPosition(line: 5, column: 5))
    // Columns count bytes: the letter takes two.
    #expect(items.map(\.position) == [TextPosition(line: 5, column: 11), TextPosition(line: 5, column: 17)])
  }

  @Test func `A byte that is not UTF-8 has a place`() {
    let problem = #expect(throws: ConfigurationProblem.self) {
      try readTOML(Array("a = 1\nb = \"é".utf8) + [0xC3, 0x28, 0x22])
    }
    #expect(problem?.position == TextPosition(line: 2, column: 8))
  }

  @Test func `Invalid bytes and deep nesting are refused`() {
    #expect(throws: ConfigurationProblem.self) { try readTOML([0x61, 0x3D, 0x22, 0xFF, 0x22]) }
    for text in [
      "a=" + String(repeating: "[", count: 100_000), "a=" + String(repeating: "{a=", count: 100_000),
      String(repeating: "a.", count: 100_000) + "a=1", "[" + String(repeating: "a.", count: 100_000) + "a]",
    ] {
      #expect(throws: ConfigurationProblem.self) { try read(text) }
    }
  }
}
