// SPDX-License-Identifier: Apache-2.0
import StowageCompression
import StowageTestSupport
import Testing

/// Expected values: RFC 1951 and 1952, and what `gzip` and Python's zlib write.
@Suite("Reading and writing gzip") struct GzipTests {
  /// A member made by hand around zlib's raw deflate data.
  private let member = """
    def member(data, flags=0, fields=b'', level=6, strategy=0, method=8, crc=None, size=None, header_crc=False):
        head = b'\\x1f\\x8b' + bytes([method, flags]) + b'\\0\\0\\0\\0\\0\\xff' + fields
        if header_crc: head += struct.pack('<H', zlib.crc32(head) & 0xffff)
        c = zlib.compressobj(level, zlib.DEFLATED, -15, 8, strategy)
        body = c.compress(data) + c.flush()
        crc = zlib.crc32(data) if crc is None else crc
        return head + body + struct.pack('<II', crc, len(data) if size is None else size)

    """

  @Test(arguments: [
    "member(b'abc', 8, b'name\\0')", "member(b'abc', 16, b'comment\\0')", "member(b'abc', 4, b'\\x05\\0extra')",
    "member(b'abc', 2, header_crc=True)", "member(b'abc', 1)",
    "member(b'abc', 31, b'\\x02\\0xyname\\0comment\\0', header_crc=True)",
  ])
  func `Every optional field of the header is passed over`(_ call: String) throws {
    let bytes = try python("\(member)out(\(call))")
    for chunk in [1, 2, 5, 1 << 20] { #expect(text(try decode(bytes, chunk: chunk)) == "abc") }
    // The same in a member that is not the first.
    #expect(text(try decode(bytes + bytes, chunk: 3)) == "abcabc")
  }

  @Test func `A header whose check is wrong is refused`() throws {
    var bytes = try python("\(member)out(member(b'abc', 2, header_crc=True))")
    bytes[4] ^= 1
    for chunk in [1, 1 << 20] { #expect(failureInPieces(bytes, chunk) == "gzip: invalid header") }
  }

  private func failureInPieces(_ bytes: [UInt8], _ chunk: Int) -> String {
    failure { () throws(ArchiveError) in _ = try decode(bytes, chunk: chunk) }
  }

  @Test(arguments: [
    ("level=0", "stored"), ("strategy=4", "fixed codes"), ("strategy=2", "Huffman only"), ("strategy=3", "run lengths"),
    ("level=9", "dynamic codes"),
  ])
  func `All kinds of deflate blocks are decoded`(_ option: String, _ kind: String) throws {
    let content = "b''.join(b'%d\\n' % i for i in range(1, 60001))"
    let bytes = try python("\(member)out(member(\(content), \(option)))")
    for chunk in [1000, 1 << 20] { #expect(try decode(bytes, chunk: chunk) == plain, "\(kind)") }
  }

  @Test func `Flushes within the data are no end of it`() throws {
    let bytes = try python(
      """
      c = zlib.compressobj(6, zlib.DEFLATED, 31)
      out(c.compress(b'abc') + c.flush(zlib.Z_SYNC_FLUSH) + c.compress(b'def') + c.flush(zlib.Z_FULL_FLUSH))
      out(c.compress(b'ghi') + c.flush())
      """)
    for chunk in [1, 4, 1 << 20] { #expect(text(try decode(bytes, chunk: chunk)) == "abcdefghi") }
  }

  @Test func `What a sync flush ends is delivered before more has to come`() throws {
    let bytes = try python(
      "c = zlib.compressobj(6, zlib.DEFLATED, 31); out(c.compress(b'abc') + c.flush(zlib.Z_SYNC_FLUSH))")
    let source = GzipDecoder(FailingSource([bytes]))
    let buffer = RawBuffer(count: 100)
    #expect(try source.read(into: buffer.bytes) == 3)
    #expect(throws: ArchiveError.self) { try source.read(into: buffer.bytes) }
  }

  @Test func `A wrong check, length, method or block is an error`() throws {
    for (call, message) in [
      ("member(b'abc', crc=1)", "gzip: invalid checksum"), ("member(b'abc', size=4)", "gzip: invalid checksum"),
      ("member(b'abc') + member(b'abc', crc=1)", "gzip: invalid checksum"),
      // Block type 3 is reserved.
      ("member(b'abc')[:10] + b'\\x07' + bytes(20)", "flate: corrupt input"),
      ("member(b'abc') + member(b'abc')[:10] + b'\\x07' + bytes(20)", "flate: corrupt input"),
    ] {
      #expect(decodingFailure(try python("\(member)out(\(call))")) == message, "\(call)")
    }
    let method = GzipDecoder(BytesSource(try python("\(member)out(member(b'abc', method=7))")))
    #expect(failure { () throws(ArchiveError) in _ = try method.readToEnd() } == "gzip: invalid header")
  }

  @Test(arguments: [GzipSink.Level.fastest, .standard], [0, 1, 65535, 65536, 65537, 338_894])
  func `The program gzip reads what is written, at every level and length`(level: GzipSink.Level, count: Int) throws {
    let content = Array(plain.prefix(count))
    let memory = BytesSink()
    let sink = try GzipSink(memory, level: level)
    for start in stride(from: 0, to: content.count, by: 10_000) {
      try sink.write(Array(content[start..<min(start + 10_000, content.count)]))
    }
    try sink.finish()
    #expect(try scriptOutput("gzip -dc < data", files: ["data": memory.bytes]) == content)
    if count > 60_000 { #expect(memory.bytes.count < count / 2) }
  }

  @Test func `What cannot be compressed grows by little`() throws {
    var random = SeededGenerator(seed: 3)
    let content = random.bytes(300_000)
    let memory = BytesSink()
    let sink = try GzipSink(memory)
    try sink.write(content)
    try sink.finish()
    #expect(try scriptOutput("gzip -dc < data", files: ["data": memory.bytes]) == content)
    #expect(memory.bytes.count < 301_000)
  }

  @Test func `A gzip header has the reference's bytes`() throws {
    let memory = BytesSink()
    try GzipSink(memory).finish()
    #expect(Array(memory.bytes.prefix(10)) == [0x1F, 0x8B, 8, 0, 0, 9, 0x6E, 0x88, 0, 0xFF])
  }
}
