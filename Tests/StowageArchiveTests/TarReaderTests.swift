// SPDX-License-Identifier: Apache-2.0
import StowageArchive
import StowageCompression
import StowageTestSupport
import Testing

@Suite("Reading tar") struct TarReaderTests {
  func names(_ bytes: [UInt8]) -> [String] {
    (try? readAll(bytes).map { text($0.header.name) }) ?? ["failed"]
  }

  func error(_ bytes: [UInt8]) -> String {
    failure { () throws(ArchiveError) in _ = try readAll(bytes) }
  }

  @Test func `The end of an archive is found as the reference finds it`() {
    let entry = RawHeader("f", size: 5).bytes + padded(Array("hello".utf8))
    let zero = [UInt8](repeating: 0, count: 512)
    #expect(names([]) == [])
    #expect(names(zero + zero) == [])
    #expect(names(zero) == [])
    #expect(names(entry) == ["f"])
    #expect(names(entry + zero) == ["f"])
    #expect(names(entry + zero + zero + entry) == ["f"])
    #expect(names(Array(entry.dropLast(507))) == ["f"], "missing padding")
    #expect(error(entry + zero + entry) == "archive/tar: invalid tar header")
    #expect(error(Array("abc".utf8)) == "unexpected EOF")
    #expect(error(Array(entry.prefix(514))) == "unexpected EOF")
    #expect(error(zero + [0]) == "unexpected EOF")
    var broken = RawHeader("f")
    broken.breaksChecksum = true
    #expect(error(broken.bytes) == "archive/tar: invalid tar header")
    #expect(error([UInt8](repeating: 0x41, count: 512)) == "archive/tar: invalid tar header")
  }

  @Test func `Numbers are octal between fillers, or base-256`() throws {
    let cases: [([UInt8], Int64?)] = [
      (Array(" 0000012 \0\0\0".utf8), 10), (Array("\0\0\0\0\0\0\0\0\0\0\0\0".utf8), 0), (Array("17\u{0}9".utf8), 15),
      (Array("8".utf8), nil), (Array("-1".utf8), nil), ([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0], 256),
      ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE], -2),
      ([0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0], nil), ([0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], nil),
    ]
    for (field, value) in cases {
      var header = RawHeader("d", type: "5")
      header.mtime = field
      let found = try? readAll(header.bytes).first?.header.modified.seconds
      #expect(found == value, "\(field)")
    }
  }

  @Test func `Sizes that are negative or larger than any file are refused without a trap`() {
    var negative = RawHeader("f")
    negative.size = [UInt8](repeating: 0xFF, count: 12)
    #expect(error(negative.bytes) == "archive/tar: invalid tar header")
    var huge = RawHeader("f")
    huge.size = [0x80, 0, 0, 0, 0x7F] + [UInt8](repeating: 0xFF, count: 7)
    #expect(error(huge.bytes + zeroBlocks) == "unexpected EOF")
    #expect(error(pax(record("size", "-1")) + RawHeader("f").bytes) == "archive/tar: invalid tar header")
    #expect(error(pax(record("size", "9223372036854775807")) + RawHeader("f").bytes) == "unexpected EOF")
    #expect(
      error(pax(record("size", "9223372036854775808")) + RawHeader("f").bytes) == "archive/tar: invalid tar header")
    var link = RawHeader("l", type: "1")
    link.size = [UInt8](repeating: 0xFF, count: 12)
    #expect(names(link.bytes + RawHeader("g").bytes) == ["l", "g"])
  }

  @Test func `The format decides about prefix and times`() throws {
    var ustar = RawHeader("name")
    ustar.prefix = Array("dir".utf8)
    #expect(names(ustar.bytes) == ["dir/name"])
    var old = ustar
    old.magic = []
    #expect(names(old.bytes) == ["name"])
    var star = ustar
    star.extra = [(508, Array("tar\0".utf8)), (476, Array("00000000017\0".utf8))]
    #expect(names(star.bytes) == ["dir/name"])
    #expect(try readAll(star.bytes).first?.header.accessed?.seconds == 15)
    var gnu = RawHeader("name")
    gnu.magic = Array("ustar  \0".utf8)
    gnu.extra = [(345, Array("00000000017\0".utf8))]
    #expect(names(gnu.bytes) == ["name"])
    #expect(try readAll(gnu.bytes).first?.header.accessed?.seconds == 15)
    gnu.extra = [(345, Array("some/dir".utf8))]
    #expect(names(gnu.bytes) == ["some/dir/name"], "written by very old Go programs")
    var signed = RawHeader("")
    signed.name = [0xC3, 0xA9]
    signed.usesSignedChecksum = true
    #expect(names(signed.bytes) == ["é"])
  }

  @Test func `Type 0 becomes a directory by its name, and header-only types have no content`() throws {
    #expect(try readAll(RawHeader("d/", type: "\0").bytes).first?.header.kind == .directory)
    #expect(try readAll(RawHeader("d", type: "\0").bytes).first?.header.kind == .regular)
    for type in "123456" {
      let entries = try readAll(RawHeader("x", type: type, size: 5).bytes + RawHeader("y").bytes)
      #expect(entries.map { text($0.header.name) } == ["x", "y"])
      #expect(entries.first?.header.size == 5)
    }
  }

  @Test func `Long names override the header and PAX records`() throws {
    let name = String(repeating: "n", count: 300)
    let long = RawHeader("././@LongLink", type: "L", size: 301).bytes + padded(Array(name.utf8) + [0])
    #expect(names(long + RawHeader("f").bytes) == [name])
    #expect(names(long + pax(record("path", "p")) + RawHeader("f").bytes + RawHeader("g").bytes) == [name, "g"])
    let link = RawHeader("././@LongLink", type: "K", size: 300).bytes + padded(Array(name.utf8))
    #expect(try readAll(link + RawHeader("f", type: "2").bytes).first.map { text($0.header.linkName) } == name)
    #expect(error(RawHeader("l", type: "L", size: (1 << 20) + 1).bytes) == "archive/tar: header field too long")
    #expect(error(RawHeader("l", type: "x", size: (1 << 20) + 1).bytes) == "archive/tar: header field too long")
  }

  @Test func `PAX records replace fields, unless empty`() throws {
    let data =
      record("path", "p/é") + record("linkpath", "l") + record("uid", "4294967296") + record("gid", "7")
      + record("mtime", "-5.5") + record("atime", "1.123456789123") + record("uname", "")
    let header = try #require(try readAll(pax(data) + RawHeader("f", type: "2").bytes).first?.header)
    #expect(text(header.name) == "p/é")
    #expect(text(header.linkName) == "l")
    #expect(header.uid == 4_294_967_296 && header.gid == 7)
    #expect(header.modified == ArchiveTime(seconds: -6, nanoseconds: 500_000_000))
    #expect(header.accessed == ArchiveTime(seconds: 1, nanoseconds: 123_456_789))
    #expect(names(pax(record("path", "a") + record("path", "b")) + RawHeader("f").bytes) == ["b"])
    #expect(names(pax(record("path", "a") + record("path", "")) + RawHeader("f").bytes) == ["f"])
    #expect(names(pax(record("path", "a")) + pax(record("uid", "1")) + RawHeader("f").bytes) == ["f"])
  }

  @Test func `Extended attributes come from SCHILY records only, empty ones too, the last of a name winning`() throws {
    let data =
      record("SCHILY.xattr.user.a", "1") + record("SCHILY.xattr.user.b", "") + record("LIBARCHIVE.xattr.user.c", "x")
      + record("SCHILY.acl.access", "x") + record("SCHILY.xattr.user.a", "2\n=")
    let header = try #require(try readAll(pax(data) + RawHeader("f").bytes).first?.header)
    #expect(header.extendedAttributes.map { text($0.name) } == ["user.a", "user.b"])
    #expect(header.extendedAttributes.map { text($0.value) } == ["2\n=", ""])
  }

  @Test(arguments: [
    "5 a=b\n", "4 a=\n", "x path=a\n", "6 =b\n", "6 ab\n", " 6 a=\n", "99 path=a\n", "9 mtime=x", "11 mtime=x\n",
    "9 uid=x\n", "9 path=\u{0}\n", "-6 a=b\n", "10 mtime=\u{0}\n", "13 mtime=1.x\n", "99999999999999999999 a=b\n",
  ])
  func `Malformed PAX data is an invalid header`(_ data: String) {
    #expect(error(pax(data) + RawHeader("f").bytes) == "archive/tar: invalid tar header")
  }

  @Test func `A global header is an entry of its own and changes no other`() throws {
    let entries = try readAll(pax(record("uid", "5"), type: "g") + RawHeader("f").bytes)
    #expect(entries.map { text($0.header.name) } == ["PaxHeaders.0/x", "f"])
    #expect(entries.map(\.header.uid) == [0, 0])
    #expect(entries.first?.header.kind == .globalHeader)
  }

  @Test func `Sparse maps that contradict themselves are refused`() {
    func sparse(_ count: String, _ map: String, size: Int = 3, real: String = "10") -> [UInt8] {
      pax(
        record("GNU.sparse.major", "0") + record("GNU.sparse.minor", "1") + record("GNU.sparse.numblocks", count)
          + record("GNU.sparse.map", map) + record("GNU.sparse.size", real))
        + RawHeader("f", size: size).bytes + padded([UInt8](repeating: 65, count: size))
    }
    #expect((try? readAll(sparse("1", "2,3")).first.map { text($0.content) }) == "\0\0AAA\0\0\0\0\0")
    #expect((try? readAll(sparse("0", "", size: 0)).first?.content) == [UInt8](repeating: 0, count: 10))
    let invalid = "archive/tar: invalid tar header"
    #expect(error(sparse("2", "2,3")) == invalid)
    #expect(error(sparse("-1", "2,3")) == invalid)
    #expect(error(sparse("1", "2")) == invalid)
    #expect(error(sparse("1", "8,3")) == invalid)
    #expect(error(sparse("1", "-1,3")) == invalid)
    #expect(error(sparse("1", "9223372036854775807,9223372036854775807")) == invalid)
    #expect(error(sparse("2", "2,3,1,1")) == invalid)
    #expect(error(sparse("1", "2,3", real: "-5")) == invalid)
    #expect(error(sparse("99999999", "2,3")) == "archive/tar: sparse map too long")
    #expect(error(sparse("1", "2,4")) == "archive/tar: sparse file references non-existent data")
    #expect(error(sparse("1", "2,2")) == "archive/tar: sparse file contains unreferenced data")
  }

  @Test func `A hole of any size costs nothing until it is asked for as zeros`() throws {
    let bytes =
      pax(
        record("GNU.sparse.major", "0") + record("GNU.sparse.minor", "1") + record("GNU.sparse.numblocks", "1")
          + record("GNU.sparse.map", "9223372036854775806,1") + record("GNU.sparse.size", "9223372036854775807"))
      + RawHeader("f", size: 1).bytes + padded([65])
    let reader = TarReader(BytesSource(bytes))
    #expect(try reader.next()?.size == .max)
    guard case .hole(let count) = try reader.nextPart() else { return #expect(Bool(false)) }
    #expect(count == .max - 1)
    guard case .data(let data) = try reader.nextPart() else { return #expect(Bool(false)) }
    #expect(data.count == 1)
    guard case .end = try reader.nextPart() else { return #expect(Bool(false)) }
    #expect(try reader.next() == nil)
  }

  static let writers = [
    "tar --format=gnu -C t -cf - .", "tar --format=posix -C t -cf - .",
    "tar --format=posix --sparse --sparse-version=0.0 -C t -cf - .",
    "tar --format=posix --sparse --sparse-version=0.1 -C t -cf - .",
    "tar --format=posix --sparse --sparse-version=1.0 -C t -cf - .", "tar --format=gnu --sparse -C t -cf - .",
    "bsdtar --format=pax -C t -cf - .", "bsdtar --format=gnutar -C t -cf - .",
    "tar --format=ustar -C t/d -cf - f s h p r e", "tar --format=v7 -C t/d -cf - f s h r e",
  ]

  @Test(.tags(.slow), arguments: writers)
  func `Archives of GNU tar and bsdtar have the names, sizes and content that tar itself sees`(_ command: String) throws
  {
    let output = try scriptOutput(
      """
      \(treeScript)
      \(command) > a.tar 2>/dev/null || true; wc -c < a.tar; cat a.tar
      tar --quoting-style=literal -tf a.tar; echo --
      python3 -c 'import sys,tarfile
      a = tarfile.open("a.tar")
      for m in a:
        if m.isreg(): sys.stdout.buffer.write(a.extractfile(m).read())'
      """)
    let newline = try #require(output.firstIndex(of: 10))
    let size = try #require(Int(text(output[..<newline]).filter(\.isNumber)))
    let archive = Array(output[(newline + 1)..<(newline + 1 + size)])
    let rest = Array(output[(newline + 1 + size)...])
    for chunk in [511, 4096, 1 << 20] {
      let entries = try readAll(archive, chunk: chunk)
      let listing = entries.flatMap { $0.header.name + [10] } + Array("--\n".utf8)
      let content = entries.filter { $0.header.kind == .regular || $0.header.kind == .gnuSparse }.flatMap(\.content)
      #expect(listing + content == rest)
    }
  }

  @Test func `Truncation at each block border and damage anywhere never trap`() throws {
    let archive = try scriptOutput(
      "\(treeScript) truncate -s 0 t/d/r; tar --format=posix --sparse -C t -cf - . 2>/dev/null")
    for length in stride(from: 0, through: archive.count, by: 512) {
      for cut in [length, max(0, length - 1), max(0, length - 300)] {
        _ = try? readAll(Array(archive[..<cut]), contentLimit: 1)
      }
    }
    var generator = SeededGenerator(seed: 42)
    for _ in 0..<1000 {
      var damaged = Array(archive.prefix(20 * 512))
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        damaged[Int.random(in: damaged.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      // Repair the checksums, so that the damage gets further than the first test.
      for start in stride(from: 0, to: damaged.count, by: 512) where damaged[start + 257] == UInt8(ascii: "u") {
        damaged.replaceSubrange((start + 148)..<(start + 156), with: Array("        ".utf8))
        let sum = damaged[start..<(start + 512)].reduce(0) { $0 + Int($1) }
        damaged.replaceSubrange((start + 148)..<(start + 155), with: octal(sum, 6))
      }
      _ = try? readAll(damaged, chunk: 1000, contentLimit: 1 << 16)
    }
  }
}
