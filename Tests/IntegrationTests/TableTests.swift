// SPDX-License-Identifier: Apache-2.0
import StowageModel
import Testing

@testable import stowage_cli

/// What tables are made of: sizes, ages, cut texts, columns, templates.
@Suite("Tables") struct TableTests {
  /// Rows as Podman 4.3.1 rounds them, with a digit more where it drops zeros.
  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (2239, "2.24 kB"), (9995, "10.0 kB"), (51_712, "51.7 kB"),
    (99_949, "99.9 kB"), (99_950, "100 kB"), (103_424, "103 kB"), (999_499, "999 kB"), (999_500, "1.00 MB"),
    (3_269_311, "3.27 MB"), (4_718_592_000, "4.72 GB"), (999_500_000_000_000_000, "1.00 EB"), (Int64.max, "9.22 EB"),
    (-1, "0 B"),
  ])
  func `Sizes have three digits in decimal units`(bytes: Int64, text: String) { #expect(bytesText(bytes) == text) }

  /// As Podman 4.3.1 was seen to tell ages.
  private static let ages: [(seconds: Int64, text: String)] = [
    (0, "Less than a second ago"), (1, "1 second ago"), (30, "30 seconds ago"), (60, "About a minute ago"),
    (119, "About a minute ago"), (3540, "59 minutes ago"), (3660, "About an hour ago"), (5340, "About an hour ago"),
    (5460, "2 hours ago"), (169_200, "47 hours ago"), (176_400, "2 days ago"), (1_123_200, "13 days ago"),
    (1_296_000, "2 weeks ago"), (5_097_600, "8 weeks ago"), (5_270_400, "2 months ago"), (31_449_600, "12 months ago"),
    (62_985_600, "24 months ago"), (63_158_400, "2 years ago"), (-5, "Less than a second ago"), (-600, "in the future"),
  ]

  @Test(arguments: TableTests.ages)
  func `Ages are told in Podman's words`(seconds: Int64, text: String) {
    let now = Timestamp(seconds: 1_800_000_000)
    #expect(ageText(of: Timestamp(seconds: now.seconds - seconds), at: now) == text)
    #expect(ageText(of: .unset, at: now) == "-")
  }

  @Test func `Texts are cut by columns, and cannot drive the terminal`() {
    #expect(shortened("registry.example/long/name:1", to: 11, .middle) == "regis…ame:1")
    #expect(shortened("RUN make all", to: 8, .end) == "RUN mak…")
    #expect(shortened("short", to: 5, .end) == "short")
    #expect(textWidth("日本") == 4 && textWidth("e\u{301}") == 1)
    #expect(shortened("日本語", to: 5, .end) == "日本…")
    #expect(printable("a\u{1B}[2Jb\n") == "a\\x1b[2Jb\\n")
    #expect(printable("a\u{9B}2J\u{202E}\u{2028}\"") == #"a\u009b2J\u202e\u2028\""#)
    #expect(printable(json: Array("[\"é\u{9B}\u{E0001}\"]".utf8)) == #"["é\u009b\udb40\udc01"]"#)
    #expect(shortID("c99c94f822c9a60cdf2fb1201d11d38d5ac8afa6cff10965aa0b56b194bcb891") == "c99c94f822c9")
    #expect(shortID("base-layer-by-hand") == "base-layer-by-hand")
  }

  private let table = Table(
    columns: [
      .init("NAME", cut: .middle), .init("ID"), .init("CREATED", rank: 3), .init("SIZE", .right),
    ],
    rows: [
      ["quay.io/acme/a-rather-long-name:latest", "2d39e7fd68a5", "2 hours ago", "4.72 MB"],
      ["<none>", "2e0e3c2e494d", "About a minute ago", "812 B"],
    ])

  @Test func `A table is cut only for a terminal, names first, then whole columns`() {
    #expect(
      table.text(for: .none) == """
        NAME                                    ID            CREATED                SIZE
        quay.io/acme/a-rather-long-name:latest  2d39e7fd68a5  2 hours ago         4.72 MB
        <none>                                  2e0e3c2e494d  About a minute ago    812 B

        """)
    let narrow = Terminal(width: 60, hasColor: false, hasBoxes: true)
    #expect(
      table.text(for: narrow) == """
        NAME               ID            CREATED                SIZE
        quay.io/…e:latest  2d39e7fd68a5  2 hours ago         4.72 MB
        <none>             2e0e3c2e494d  About a minute ago    812 B

        """)
    let tiny = Terminal(width: 40, hasColor: true, hasBoxes: true)
    #expect(
      table.text(for: tiny) == """
        \u{1B}[1mNAME               ID               SIZE\u{1B}[0m
        quay.io/…e:latest  2d39e7fd68a5  4.72 MB
        <none>             2e0e3c2e494d    812 B

        """)
  }

  @Test func `A cell as long as a file makes no other line long, and no work for the fitting`() {
    let long = String(repeating: "x", count: 300_000)
    let table = Table(
      columns: [.init("NAME", cut: .middle), .init("SIZE", .right)], rows: [[long, "1 B"], ["a", "2 B"]])
    let whole = table.text(for: .none).split(separator: "\n")
    #expect(whole.map(\.utf8.count) == [506, 300_006, 506])
    let narrow = table.text(for: Terminal(width: 20, hasColor: false, hasBoxes: true))
    #expect(narrow == "NAME            SIZE\nxxxxxxx…xxxxxx   1 B\na                2 B\n")
  }

  private let value = JSONValue.object([
    .init("Id", .string("abc")), .init("Names", .array([.string("a"), .string("b")])),
    .init("Config", .object([.init("User", .string("me")), .init("Labels", .object([.init("k", .string("v"))]))])),
    .init("mount-point", .null),
  ])

  @Test(arguments: [
    ("{{.Id}}\\t{{ .ID }}", "abc\tabc"), ("{{.Config.User}}", "me"), ("{{.Names}}", "[a b]"),
    ("{{join .Names \", \"}}", "a, b"), ("{{json .Names}}", #"["a","b"]"#), ("{{len .Names}}{{len .Id}}", "23"),
    ("{{upper .Id}}{{lower `X`}}", "ABCx"), ("{{upper (join .Names \"\")}}", "AB"), ("{{.Config.Labels}}", "map[k:v]"),
    ("{{.Config.Nope}}", "<no value>"), ("{{.MountPoint}}", "<no value>"), ("a}}b", "a}}b"),
    ("{{json .Config}}", #"{"Labels":{"k":"v"},"User":"me"}"#),
  ])
  func `Templates name fields and apply functions`(format: String, text: String) throws {
    #expect(try Template(format).text(for: value) == text)
  }

  @Test(arguments: [
    ("{{range .Names}}", "character 3: \"range\" is not supported: "),
    ("x{{.Id", "character 7: the {{ of character 2 has no }}"),
    ("{{.Id | upper}}", "character 7: a pipeline by | is not supported"), ("{{}}", "character 1: there is nothing"),
    ("{{- .Id}}", "character 3: trimming by {{- is not supported"), ("{{$x}}", "character 3: a variable"),
    ("{{join .Names}}", "character 3: join takes a list and a separator"), ("{{/* c */}}", "character 3: a comment"),
    ("{{.Id .Names}}", "character 7: }} is expected, not \".\""),
    ("{{.Nope}}", "character 1: there is no field .Nope; there are: Id, "),
    ("{{.Id.x}}", "character 1: .Id has no fields"), ("{{len \"a}}", "character 7: the text has no closing \""),
    ("{{join .Id \",\"}}", "character 1: join needs a list"), ("{{5}}", "character 3: a field such as .ID is expected"),
    ("{{(.Id}}", "character 3: the ( has no )"),
    ("{{" + String(repeating: "(", count: 100_000), "character 35: so deep a nesting is not supported"),
  ])
  func `What else templates can be is refused with its place`(format: String, reason: String) throws {
    let error = #expect(throws: StorageError.self) { try Template(format).text(for: value) }
    #expect(error?.message.hasPrefix("--format: \(reason)") == true, "\(error?.message ?? "")")
  }

  @Test func `A listing by a template has headings only as a table`() throws {
    let listing = Listing(
      columns: [], rows: [.init(cells: [], fields: value, document: .null, identifier: nil)],
      headings: ["Id": "IMAGE ID"])
    #expect(
      try listing.text("table {{.Id}} {{len .Names}}\\t{{.Config.User}}", .none, hasHeading: true) == """
        IMAGE ID  NAMES  USER
        abc       2      me

        """)
    #expect(try listing.text("{{.Id}} x", .none, hasHeading: true) == "abc x\n")
    let hostile = Listing(
      columns: [],
      rows: [.init(cells: [], fields: .object([.init("Id", .string("\u{1B}c"))]), document: .null, identifier: nil)])
    let terminal = Terminal(width: 80, hasColor: false, hasBoxes: true)
    #expect(try hostile.text("{{.Id}}\\t{{json .Id}}", terminal, hasHeading: true) == "\\x1bc\t\"\\u001bc\"\n")
    #expect(try hostile.text("{{.Id}}", .none, hasHeading: true) == "\u{1B}c\n")
    #expect(throws: StorageError.self) { try listing.text("csv", .none, hasHeading: true) }
  }
}
