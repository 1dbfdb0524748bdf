// SPDX-License-Identifier: Apache-2.0
import StowageArchive
import StowageCompression
import StowageTestSupport
import Testing

@Suite("Writing tar") struct TarWriterTests {
  func write(_ header: TarHeader, _ content: [UInt8] = [], precision: TarWriter.TimePrecision = .seconds) throws
    -> [UInt8]
  {
    let sink = BytesSink()
    let writer = TarWriter(sink, precision: precision)
    try writer.begin(header)
    try add(content, to: writer)
    try writer.finish()
    return sink.bytes
  }

  @Test func `A plain header has each byte where the reference puts it`() throws {
    let bytes = try write(
      TarHeader(
        kind: .regular, name: Array("d/f".utf8), mode: 0o104755, uid: 5, gid: 6, size: 5,
        modified: ArchiveTime(seconds: 8, nanoseconds: 999_999_999)), Array("hello".utf8))
    #expect(bytes.count == 512 + 512 + 1024)
    #expect(text(bytes[0..<4]) == "d/f\0")
    #expect(text(bytes[100..<148]) == "0004755\u{0}0000005\u{0}0000006\u{0}00000000005\u{0}00000000010\u{0}")
    #expect(bytes[154] == 0 && bytes[155] == 32 && bytes[156] == UInt8(ascii: "0"))
    #expect(text(bytes[257..<265]) == "ustar\u{0}00")
    #expect(bytes[265..<329].allSatisfy { $0 == 0 })
    #expect(text(bytes[329..<345]) == "0000000\u{0}0000000\u{0}")
    #expect(bytes[1024...].allSatisfy { $0 == 0 })
  }

  @Test func `Attributes are sorted records, and the extended header is named after the entry`() throws {
    let value: [UInt8] = [1, 0, 0, 2] + [UInt8](repeating: 0, count: 16)
    let bytes = try write(
      TarHeader(
        kind: .regular, name: Array("newd/frac".utf8),
        extendedAttributes: [
          .init(name: Array("user.a".utf8), value: Array("b".utf8)),
          .init(name: Array("security.capability".utf8), value: value),
        ]))
    #expect(text(bytes.prefix(32).prefix { $0 != 0 }) == "newd/PaxHeaders.0/frac")
    #expect(bytes[156] == UInt8(ascii: "x"))
    #expect(bytes[329..<345].allSatisfy { $0 == 0 })
    let expected =
      Array("57 SCHILY.xattr.security.capability=".utf8) + value + Array("\n25 SCHILY.xattr.user.a=b\n".utf8)
    #expect(Array(bytes[512..<(512 + expected.count)]) == expected)
  }

  @Test func `Only what does not fit goes to records`() throws {
    func keys(_ header: TarHeader) throws -> [String] {
      let bytes = try write(header)
      guard bytes[156] == UInt8(ascii: "x") else { return [] }
      let data = text(bytes[512..<1536].prefix { $0 != 0 })
      return data.split(separator: "\n").compactMap {
        $0.split(separator: " ").last?.split(separator: "=").first.map(String.init)
      }
    }
    let directory = String(repeating: "d", count: 90)
    let base = TarHeader(kind: .directory, name: [])
    var header = base
    for (name, expected) in [
      (String(repeating: "n", count: 100), []), (String(repeating: "n", count: 101), ["path"]),
      ("\(directory)/\(directory)", []), ("é", ["path"]), ("\(directory)/\(directory)/", []),
    ] {
      header.name = Array(name.utf8)
      #expect(try keys(header) == expected, "\(name)")
    }
    header = base
    header.uid = 2_097_151
    #expect(try keys(header) == [])
    header.uid = 2_097_152
    header.gid = 70_000_000
    #expect(try keys(header) == ["gid", "uid"])
    header = base
    header.modified.seconds = (1 << 33) - 1
    #expect(try keys(header) == [])
    header.modified.seconds = 1 << 33
    #expect(try keys(header) == ["mtime"])
    header.modified.seconds = -1
    #expect(try keys(header) == ["mtime"])
    header = base
    header.linkName = Array(repeating: 65, count: 101)
    #expect(try keys(header) == ["linkpath"])
    header.uid = 2_097_152
    header.name = Array("\(directory)/\(directory)".utf8)
    #expect(try keys(header) == ["linkpath", "path", "uid"])
  }

  @Test func `Fractions of a second are kept when asked for, before 1970 too`() throws {
    for time in [
      ArchiveTime(seconds: 5, nanoseconds: 500_000_000), ArchiveTime(seconds: -6, nanoseconds: 500_000_000),
      ArchiveTime(seconds: -1, nanoseconds: 1), ArchiveTime(seconds: 7),
    ] {
      let header = TarHeader(kind: .regular, name: [65], modified: time)
      #expect(try readAll(try write(header, precision: .nanoseconds)).first?.header.modified == time)
    }
  }

  @Test func `Too much or too little content is an error`() throws {
    let writer = TarWriter(BytesSink())
    try writer.begin(TarHeader(kind: .regular, name: [65], size: 3))
    #expect(failure { () throws(ArchiveError) in try writer.finish() } == "archive/tar: missed writing 3 bytes")
    #expect(throws: ArchiveError.self) { try add([1, 2, 3, 4], to: writer) }
  }

  @Test func `Random trees survive reading and writing, and GNU tar lists the result without complaint`() throws {
    let archive = try scriptOutput("\(treeScript) tar --format=posix --xattrs -C t -cf - . 2>/dev/null")
    let sink = BytesSink()
    let writer = TarWriter(sink, precision: .nanoseconds)
    let entries = try readAll(archive)
    for entry in entries {
      try writer.begin(entry.header)
      if entry.header.kind == .regular {
        try add(entry.content, to: writer)
      }
    }
    try writer.finish()
    let again = try readAll(sink.bytes)
    #expect(again.map(\.header.name) == entries.map(\.header.name))
    #expect(again.map(\.header.modified) == entries.map(\.header.modified))
    #expect(again.map(\.header.deviceMinor) == entries.map(\.header.deviceMinor))
    #expect(again.map(\.content) == entries.map(\.content))
  }
}
