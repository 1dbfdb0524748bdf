// SPDX-License-Identifier: Apache-2.0
import StowageCompression
import StowageModel
import StowageTestSupport
import Testing

@Suite("Sources of bytes") struct SourceTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test func `A look at the first bytes waits for them and consumes nothing`() throws {
    for chunk in [1, 4, 100] {
      let source = PeekedSource(BytesSource(bytes("0123456789abcdef"), chunkSize: chunk))
      #expect(text(try source.peek(10)) == "0123456789")
      #expect(text(try source.peek(3)) == "012")
      #expect(text(try source.peek(12)) == "0123456789ab")
      #expect(text(try source.readToEnd()) == "0123456789abcdef")
    }
  }

  @Test func `A look beyond the end, or the buffer, shows what there is`() throws {
    let source = PeekedSource(BytesSource(bytes("abc")))
    #expect(text(try source.peek(10)) == "abc")
    #expect(text(try source.readToEnd()) == "abc")
    #expect(try PeekedSource(BytesSource([])).peek(10).isEmpty)
    let large = PeekedSource(BytesSource(plain), capacity: 512)
    #expect(try large.peek(10_000).elementsEqual(plain[..<512]))
    #expect(try large.readToEnd() == plain)
  }

  @Test func `What was looked at comes first, in pieces or as a chunk`() throws {
    let small = RawBuffer(count: 2)
    let source = PeekedSource(BytesSource(bytes("abcdef"), chunkSize: 3))
    #expect(text(try source.peek(4)) == "abcd")
    #expect(try source.read(into: small.bytes) == 2)
    #expect(text(small.bytes) == "ab")
    #expect(text(try source.nextChunk()) == "cdef")
    #expect(try source.nextChunk().isEmpty)
    // A source that lends no chunks gets a buffer.
    let plain = PeekedSource(FailingSource([bytes("ab"), bytes("cd")]))
    #expect(text(try plain.peek(1)) == "a")
    #expect(text(try plain.nextChunk()) == "ab")
    #expect(text(try plain.nextChunk()) == "cd")
    #expect(failure { () throws(ArchiveError) in _ = try plain.nextChunk() } == "upstream failed")
  }

  @Test func `A look at a source that fails, fails`() {
    let source = PeekedSource(FailingSource([bytes("ab")]))
    #expect(failure { () throws(ArchiveError) in _ = try source.peek(3) } == "upstream failed")
  }

  @Test func `An observer sees each byte once, in order, however it is read`() throws {
    var seen: [UInt8] = []
    let source = TeeSource(BytesSource(bytes("0123456789"), chunkSize: 4)) { seen.append(contentsOf: $0) }
    let buffer = RawBuffer(count: 3)
    #expect(try source.read(into: buffer.bytes) == 3)
    #expect(text(seen) == "012")
    #expect(text(try source.nextChunk()) == "3456")
    #expect(source.count == 7)
    #expect(text(try source.readToEnd()) == "789")
    #expect(try source.nextChunk().isEmpty)
    #expect(text(seen) == "0123456789")
    #expect(source.count == 10)
  }

  @Test func `An error of the observer ends the reading`() {
    let source = TeeSource(BytesSource(bytes("abc"))) { (_) throws(ArchiveError) in throw ArchiveError(.caller, "no") }
    #expect(failure { () throws(ArchiveError) in _ = try source.nextChunk() } == "no")
  }

  @Test func `A buffer is put only in front of a source that lends no chunks`() throws {
    let lending = BytesSource(bytes("abc"))
    #expect(chunked(lending) === lending)
    let source = chunked(FailingSource([bytes("abc"), bytes("de")]))
    #expect(text(try source.nextChunk()) == "abc")
    let one = RawBuffer(count: 1)
    #expect(try source.read(into: one.bytes) == 1)
    #expect(text(one.bytes) == "d")
    #expect(text(try source.nextChunk()) == "e")
    #expect(failure { () throws(ArchiveError) in _ = try source.nextChunk() } == "upstream failed")
  }

  @Test func `A read as large as the buffer goes past it`() throws {
    let source = BufferedSource(FailingSource([bytes("abc"), bytes("de")]), capacity: 512)
    let large = RawBuffer(count: 512)
    #expect(try source.read(into: large.bytes) == 3)
    #expect(text(large.bytes[..<3]) == "abc")
  }

  @Test func `Reading to the end stops at the limit`() throws {
    #expect(try BytesSource(plain).readToEnd(limit: plain.count) == plain)
    let error = #expect(throws: ArchiveError.self) { try BytesSource(plain).readToEnd(limit: plain.count - 1) }
    #expect(error?.kind == .fieldTooLong)
    #expect(error?.message == "input is longer than \(plain.count - 1) bytes")
    #expect(try BytesSource([]).readToEnd(limit: 0).isEmpty)
  }

  @Test func `Cancelling reaches the source through all that is put in front of it`() {
    let source = FailingSource([])
    let chain = GzipDecoder(PeekedSource(TeeSource(BufferedSource(source))))
    chain.cancel()
    #expect(source.isCancelled)
    for wrap in [
      { Bzip2Decoder($0) }, { XZDecoder($0) }, { ZstdDecoder($0) }, { GzipDecoder($0) },
    ] as [(FailingSource) -> any ByteSource] {
      let source = FailingSource([])
      wrap(source).cancel()
      #expect(source.isCancelled)
    }
  }
}

@Suite("Sinks of bytes") struct SinkTests {
  @Test func `An observer sees each byte before it goes on`() throws {
    let memory = BytesSink()
    var seen: [String] = []
    let sink = TeeSink(memory) { seen.append("\(text($0)) after \(memory.bytes.count)") }
    try sink.write(Array("ab".utf8))
    try sink.write(Array("cde".utf8))
    try sink.finish()
    #expect(seen == ["ab after 0", "cde after 2"])
    #expect(text(memory.bytes) == "abcde")
    #expect(sink.count == 5)
  }

  @Test func `A source is written whole, and the number of its bytes told`() throws {
    let memory = BytesSink()
    #expect(try memory.write(contentsOf: BytesSource(plain, chunkSize: 1000)) == Int64(plain.count))
    #expect(memory.bytes == plain)
    #expect(try memory.write(contentsOf: BytesSource([])) == 0)
    let failing = FailingSource([Array("ab".utf8)])
    #expect(failure { () throws(ArchiveError) in try memory.write(contentsOf: failing) } == "upstream failed")
    #expect(text(memory.bytes.suffix(2)) == "ab")
  }

  @Test func `The formats bzip2 and xz are not written`() {
    #expect(
      failure { () throws(ArchiveError) in _ = try encoder(for: .bzip2, over: BytesSink()) }
        == "unsupported compression format tar.bz2")
    #expect(
      failure { () throws(ArchiveError) in _ = try encoder(for: .xz, over: BytesSink()) }
        == "unsupported compression format tar.xz")
  }

  @Test func `Each format that is written is read by its program, and none is none`() throws {
    for (format, command) in [(Format.all[0].compression, "gzip -dc"), (.zstd, "zstd -qdc"), (.none, "cat")] {
      let memory = BytesSink()
      let sink = try encoder(for: format, over: memory)
      try sink.write(plain)
      try sink.finish()
      #expect(try scriptOutput("\(command) < data", files: ["data": memory.bytes]) == plain)
    }
    let memory = BytesSink()
    #expect(try encoder(for: .none, over: memory) === memory)
  }

  @Test func `A full disk shows in every writer, at the latest when it finishes`() throws {
    let message = "write: no space left on device"
    #expect(failure { () throws(ArchiveError) in _ = try GzipSink(FailingSink()) } == message)
    let zstd = try ZstdSink(FailingSink())
    try zstd.write(Array("abc".utf8))
    #expect(failure { () throws(ArchiveError) in try zstd.finish() } == message)
    let tee = TeeSink(FailingSink()) { _ in }
    #expect(failure { () throws(ArchiveError) in try tee.write([1]) } == message)
    #expect(failure { () throws(ArchiveError) in try tee.finish() } == message)
  }
}
