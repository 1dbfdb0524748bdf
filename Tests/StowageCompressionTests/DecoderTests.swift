// SPDX-License-Identifier: Apache-2.0
import StowageCompression
import StowageModel
import StowageSystem
import StowageTestSupport
import Testing

/// What holds for every format. Expected values: what the formats' own programs compressed.
@Suite("Decoders of all formats") struct DecoderTests {
  @Test(arguments: Format.all)
  func `Each format decodes, whatever the sizes of the pieces it comes in`(format: Format) throws {
    let bytes = try format.compressed()
    for chunk in [1, 2, 7, 511, 4096, 1 << 20] { #expect(try decode(bytes, chunk: chunk) == plain) }
    let source = BytesSource(bytes, chunkSize: 5)
    #expect(
      try PipelineSource(decoder(for: format.compression, over: source), bufferSize: 4096).readToEnd() == plain)
  }

  @Test(arguments: Format.all)
  func `Each format decodes into buffers of any size`(format: Format) throws {
    let bytes = try format.compressed("seq 1 3000")
    let expected = try scriptOutput("seq 1 3000")
    for size in [1, 3, 1000, 1 << 20] {
      let source = decoder(for: format.compression, over: BytesSource(bytes))
      let buffer = RawBuffer(count: size)
      var decoded: [UInt8] = []
      #expect(try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[..<0])) == 0)
      while case let count = try source.read(into: buffer.bytes), count > 0 {
        decoded.append(contentsOf: buffer.bytes[..<count])
      }
      #expect(decoded == expected)
      #expect(try source.read(into: buffer.bytes) == 0, "The end stays the end")
    }
  }

  @Test(arguments: Format.all)
  func `Members behind one another are decoded as one`(format: Format) throws {
    let one = try format.compressed("printf abc")
    let none = try format.compressed("printf ''")
    for chunk in [1, 3, 1 << 20] {
      #expect(text(try decode(one + none + one + one, chunk: chunk)) == "abcabcabc")
    }
    #expect(try decode(none).isEmpty)
  }

  @Test func `Junk behind gzip data is ignored but read, and is an error behind others`() throws {
    let expected: [Compression: String] = [
      .zstd: "invalid input: magic number mismatch", .xz: "xz: data is corrupt",
      .bzip2: "bzip2 data invalid: bad magic value in continuation file",
    ]
    for format in Format.all {
      let bytes = try format.compressed("printf abc") + Array("0123456789junk".utf8)
      #expect(decodingFailure(bytes) == expected[format.compression] ?? "no error")
    }
    let gzip = try Format.all[0].compressed("printf abc")
    for junk in [[UInt8](repeating: 0, count: 3000), [0x1F], [0x1F, 0x8B], Array("x".utf8)] {
      let tee = TeeSource(BytesSource(gzip + junk, chunkSize: 2))
      #expect(text(try GzipDecoder(tee).readToEnd()) == "abc")
      #expect(tee.count == Int64(gzip.count + junk.count))
    }
  }

  @Test(arguments: Format.all)
  func `Data that ends too early is an unexpected end at each length, and never traps`(format: Format) throws {
    let bytes = try format.compressed("seq 1 200")
    for length in 10..<bytes.count {
      let source = BytesSource(bytes[..<length], chunkSize: 13)
      #expect(
        failure { () throws(ArchiveError) in _ = try decoder(for: format.compression, over: source).readToEnd() }
          == "unexpected EOF")
    }
  }

  @Test(arguments: Format.all.filter { $0.compression != .zstd })
  func `No bytes at all are no data of a format that has a header`(format: Format) {
    let source = decoder(for: format.compression, over: BytesSource([]))
    #expect(failure { () throws(ArchiveError) in _ = try source.readToEnd() } == "unexpected EOF")
  }

  @Test(arguments: Format.all)
  func `A flipped bit is found wherever it is in the content`(format: Format) throws {
    let bytes = try format.compressed("seq 1 2000")
    for position in stride(from: bytes.count / 4, to: bytes.count * 3 / 4, by: bytes.count / 40) {
      var damaged = bytes
      damaged[position] ^= 0x10
      #expect(decodingFailure(damaged) != "no error", "byte \(position)")
    }
  }

  @Test(arguments: Format.all)
  func `Data of another format is refused`(format: Format) throws {
    for other in Format.all where other.compression != format.compression {
      let source = decoder(for: format.compression, over: BytesSource(try other.compressed("seq 1 100")))
      let error = #expect(throws: ArchiveError.self) { try source.readToEnd() }
      #expect(error?.kind == .invalidCompressedData)
    }
  }

  @Test(arguments: Format.all)
  func `An error of the source comes through, after what was decoded before it`(format: Format) throws {
    let bytes = try format.compressed("printf abc")
    let source = decoder(for: format.compression, over: FailingSource([bytes]))
    #expect(failure { () throws(ArchiveError) in _ = try source.readToEnd() } == "upstream failed")
  }

  @Test(.timeLimit(.minutes(1)), arguments: Format.all)
  func `A decoder that waits for a pipe can be cancelled`(format: Format) throws {
    let pipe = try Syscall.pipe()
    let source = decoder(for: format.compression, over: DescriptorSource(pipe.reader.rawValue))
    source.cancel()
    #expect(failure { () throws(ArchiveError) in _ = try source.readToEnd() } == "operation cancelled")
  }

  @Test func `Without compression the source itself is read`() throws {
    let source = BytesSource(Array("abc".utf8))
    #expect(decoder(for: .none, over: source) === source)
  }
}
