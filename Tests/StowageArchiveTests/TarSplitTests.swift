// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageArchive
import StowageCompression
import StowageTestSupport
import Testing

@Suite("Reading and writing tar-split") struct TarSplitTests {
  func split(_ archive: [UInt8], chunk: Int = 1 << 20) throws(ArchiveError) -> [UInt8] {
    let sink = BytesSink()
    let writer = try TarSplitWriter(sink)
    _ = try readAll(archive, chunk: chunk, observer: writer)
    try writer.finish()
    return sink.bytes
  }

  func lines(_ tarSplit: [UInt8]) throws -> [String] {
    text(try GzipDecoder(BytesSource(tarSplit)).readToEnd()).split(separator: "\n").map(String.init)
  }

  func join(_ tarSplit: [UInt8], _ files: [[UInt8]: [UInt8]]) throws(ArchiveError) -> [UInt8] {
    let sink = BytesSink()
    try reassemble(tarSplit: BytesSource(tarSplit, chunkSize: 100), into: sink) { name throws(ArchiveError) in
      guard let content = files[name] else { throw ArchiveError(.caller, "no such file") }
      return .bytes(content)
    }
    return sink.bytes
  }

  @Test func `File records have the reference's keys, order, escapes and check values`() throws {
    var raw = RawHeader("x", size: 1)
    raw.name = [0x70, 0xFF, 0xFE, 0x71]
    let archive =
      RawHeader("d/", type: "5").bytes + RawHeader("d/f", size: 5).bytes + padded(Array("hello".utf8)) + raw.bytes
      + padded(Array("1".utf8)) + RawHeader("<&>\"\\\t\u{1}\u{2028}é").bytes + zeroBlocks
    let files = try lines(try split(archive)).filter { $0.hasPrefix("{\"type\":1") }
    #expect(
      files == [
        #"{"type":1,"name":"d/","payload":null,"position":1}"#,
        #"{"type":1,"name":"d/f","size":5,"payload":"PD7u4tgQAAA=","position":3}"#,
        #"{"type":1,"name_raw":"cP/+cQ==","size":1,"payload":"QyAAAAAAAAA=","position":5}"#,
        #"{"type":1,"name":"\u003c\u0026\u003e\"\\\t\u0001\u2028é","payload":null,"position":7}"#,
      ])
  }

  @Test func `An input of no bytes gives a gzip of nothing`() throws {
    #expect(try lines(try split([])) == [])
    #expect(try join(try split([]), [:]) == [])
  }

  @Test(arguments: [
    ("a", "a"), ("a", "./a"), ("a/", "a"), ("a/b", "a//b"), ("a/b", "a/c/../b"), ("/a", "//a"), ("", "."),
  ])
  func `A path that is named twice is refused, however it is spelt`(_ first: String, _ second: String) {
    let archive = RawHeader(first).bytes + RawHeader(second).bytes
    #expect(
      failure { () throws(ArchiveError) in _ = try split(archive) } == "duplicates of file paths not supported")
  }

  @Test func `Paths that only look alike are not duplicates`() throws {
    let names = ["a", "/a", "../a", "../../a", "b/a", "aa", "A"] + (0..<3000).map { "dir/\($0)" }
    _ = try split(names.flatMap { RawHeader($0).bytes })
  }

  @Test(arguments: TarReaderTests.writers)
  func `Any archive comes back byte for byte`(_ command: String) throws {
    let archive = try scriptOutput("\(treeScript) \(command) 2>/dev/null || true") + Array("trailing junk".utf8)
    var files: [[UInt8]: [UInt8]] = [:]
    for entry in try readAll(archive) { files[entry.header.name] = entry.content }
    for chunk in [777, 1 << 20] { #expect(try join(try split(archive, chunk: chunk), files) == archive) }
  }

  @Test func `Content that no extracted file will hold is kept in segments`() throws {
    let sparse =
      pax(
        record("GNU.sparse.major", "0") + record("GNU.sparse.minor", "1") + record("GNU.sparse.numblocks", "1")
          + record("GNU.sparse.map", "2,3") + record("GNU.sparse.size", "10"))
      + RawHeader("sparse", size: 3).bytes + padded(Array("abc".utf8))
    let archive =
      sparse + RawHeader("link", type: "1", size: 5).bytes + RawHeader("d/.wh.gone", size: 4).bytes
      + padded(Array("body".utf8)) + zeroBlocks
    let tarSplit = try split(archive)
    #expect(try lines(tarSplit).filter { $0.contains("\"type\":1") && !$0.contains("\"payload\":null") } == [])
    #expect(try join(tarSplit, [:]) == archive)
  }

  @Test func `A changed file is refused, and a changed size before a byte of it is shown`() throws {
    let header = RawHeader("d/f", size: 5).bytes
    let tarSplit = try split(header + padded(Array("hello".utf8)) + zeroBlocks)
    let name = Array("d/f".utf8)
    for content in ["hallo", "hell", "hello!", ""] {
      #expect(
        failure { () throws(ArchiveError) in _ = try join(tarSplit, [name: Array(content.utf8)]) }
          == "file integrity checksum failed for \"d/f\"")
    }
    #expect(failure { () throws(ArchiveError) in _ = try join(tarSplit, [:]) } == "no such file")
  }

  @Test func `Descriptors are read, checked and closed`() throws {
    let tarSplit = try split(RawHeader("f", size: 5).bytes + padded(Array("hello".utf8)) + zeroBlocks)
    for (content, isGood) in [("hello", true), ("hallo", false), ("hello ", false)] {
      var template = Array("/tmp/stowage-archive-XXXXXX".utf8CString)
      let descriptor = mkstemp(&template)
      unlink(template)
      content.withCString { _ = write(descriptor, $0, strlen($0)) }
      let sink = BytesSink()
      let message = failure { () throws(ArchiveError) in
        try reassemble(tarSplit: BytesSource(tarSplit), into: sink) { _ in .descriptor(descriptor) }
      }
      #expect((message == "no error") == isGood)
      #expect(fcntl(descriptor, F_GETFD) == -1)
    }
  }

  func packed(_ json: String) throws -> [UInt8] {
    let sink = BytesSink()
    let gzip = try GzipSink(sink)
    try gzip.write(Array(json.utf8))
    try gzip.finish()
    return sink.bytes
  }

  @Test func `Any JSON spacing, escape and unknown member is understood, and unknown types are passed over`() throws {
    let json = """
      {"type":2,"payload":"YWI=","position":0} \t{ "position" : 1 , "x":[1,{"y":"}"}],"payload" : "PD7u4tgQAAA=",
      "size":5,"name":"\\u0064\\u002F\\ud83d\\ude00","type":1}{"type":9,"name":"q","payload":null}{"type":1,"name":"e","payload":null}
      """
    let name = Array("d/😀".utf8)
    #expect(text(try join(try packed(json), [name: Array("hello".utf8)])) == "abhello")
  }

  @Test(arguments: [
    ("{", "unexpected EOF"), ("{\"type\":1", "unexpected EOF"), ("{\"type\":2,\"payload\":\"YW", "unexpected EOF"),
    ("[", ""), ("{\"type\":2,\"payload\":\"YW\"}", ""), ("{\"type\":x}", ""),
    ("{\"type\":2,\"payload\":\"Y!I=\"}", ""),
    (
      "{\"type\":1,\"name\":\"a\",\"payload\":null}{\"type\":1,\"name\":\"./a\",\"payload\":null}",
      "duplicates of file paths not supported"
    ),
    ("{\"type\":1,\"name\":\"a\",\"size\":99999999999999999999,\"payload\":null}", ""),
  ])
  func `Damaged files are refused`(_ json: String, _ message: String) throws {
    let bytes = try packed(json)
    let found = failure { () throws(ArchiveError) in _ = try join(bytes, [:]) }
    #expect(message.isEmpty ? found != "no error" : found == message)
  }

  @Test func `A file of no bytes, or one that is cut, is refused`() throws {
    #expect(failure { () throws(ArchiveError) in _ = try join([], [:]) } == "EOF")
    let whole = try split(RawHeader("f").bytes + zeroBlocks)
    for length in 1..<whole.count {
      #expect(failure { () throws(ArchiveError) in _ = try join(Array(whole[..<length]), [:]) } != "no error")
    }
  }
}
