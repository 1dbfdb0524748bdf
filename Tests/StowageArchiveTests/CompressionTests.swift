// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageCompression
import StowageModel
import StowageSystem
import StowageTestSupport
import Testing

@Suite struct CompressionTests {
  static let formats: [(Compression, String)] = [
    (.gzip, "gzip -nc"), (.bzip2, "bzip2 -c"), (.xz, "xz -c"), (.zstd, "zstd -qc"),
  ]

  static func compressed(_ command: String, _ input: String = "seq 1 60000") throws -> [UInt8] {
    try scriptOutput("\(input) | \(command)")
  }

  static let plain: [UInt8] = (1...60000).flatMap { Array("\($0)\n".utf8) }

  func decode(_ bytes: [UInt8], chunk: Int = 1 << 20) throws(ArchiveError) -> [UInt8] {
    let source = PeekedSource(BytesSource(bytes, chunkSize: chunk))
    return try decoder(for: try detectCompression(of: source), over: source).readToEnd()
  }

  @Test("The format is told by the first bytes, and too few of them tell nothing")
  func detection() throws {
    let cases: [([UInt8], Compression)] = [
      ([], .none), ([0x1F, 0x8B], .none), ([0x1F, 0x8B, 0x08], .gzip), ([0x42, 0x5A, 0x68], .bzip2),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A], .none), ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], .xz),
      ([0x28, 0xB5, 0x2F, 0xFD], .zstd), ([0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0], .none), (Array("hello".utf8), .none),
    ]
    for (bytes, format) in cases {
      for chunk in [1, 3, 100] {
        #expect(try detectCompression(of: PeekedSource(BytesSource(bytes, chunkSize: chunk))) == format)
      }
    }
  }

  @Test("Each format decodes, whatever the sizes of the pieces it comes in", arguments: formats)
  func decodes(_ format: Compression, _ command: String) throws {
    let bytes = try Self.compressed(command)
    for chunk in [1, 2, 7, 511, 4096, 1 << 20] { #expect(try decode(bytes, chunk: chunk) == Self.plain) }
    let source = BytesSource(bytes, chunkSize: 5)
    #expect(try PipelineSource(decoder(for: format, over: source), bufferSize: 4096).readToEnd() == Self.plain)
  }

  @Test("Members behind one another are decoded as one", arguments: formats)
  func members(_ format: Compression, _ command: String) throws {
    let one = try Self.compressed(command, "printf abc")
    let none = try Self.compressed(command, "printf ''")
    for chunk in [1, 3, 1 << 20] {
      #expect(text(try decode(one + none + one + one, chunk: chunk)) == "abcabcabc")
    }
  }

  @Test("Skippable zstd frames between and after frames are passed over")
  func skippableFrames() throws {
    let frame = try Self.compressed("zstd -qc", "printf abc")
    let skippable: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]
    #expect(text(try decode(frame + skippable + frame + skippable)) == "abcabc")
  }

  @Test("Junk behind gzip data is ignored but read, and is an error behind others")
  func trailingJunk() throws {
    let expected: [Compression: String] = [
      .gzip: "no error", .zstd: "invalid input: magic number mismatch",
      .bzip2: "bzip2 data invalid: bad magic value in continuation file",
    ]
    for (format, command) in Self.formats {
      let bytes = try Self.compressed(command, "printf abc") + Array("0123456789junk".utf8)
      let message = failure { () throws(ArchiveError) in _ = try decode(bytes) }
      if let text = expected[format] { #expect(message == text) } else { #expect(message != "no error") }
    }
    for junk in [[UInt8](repeating: 0, count: 3000), [0x1F], [0x1F, 0x8B], Array("x".utf8)] {
      let bytes = try Self.compressed("gzip -c", "printf abc") + junk
      let tee = TeeSource(BytesSource(bytes, chunkSize: 2))
      #expect(text(try GzipDecoder(tee).readToEnd()) == "abc")
      #expect(tee.count == Int64(bytes.count))
    }
  }

  @Test("Data that ends too early is an unexpected end at each length, and never traps", arguments: formats)
  func truncation(_ format: Compression, _ command: String) throws {
    let bytes = try Self.compressed(command, "seq 1 200")
    for length in 10..<bytes.count {
      let source = BytesSource(bytes[..<length], chunkSize: 13)
      #expect(
        failure { () throws(ArchiveError) in _ = try decoder(for: format, over: source).readToEnd() }
          == "unexpected EOF")
    }
  }

  @Test("A flipped bit is found", arguments: formats)
  func corruption(_ format: Compression, _ command: String) throws {
    var bytes = try Self.compressed(command)
    bytes[bytes.count / 2] ^= 0x10
    #expect(failure { () throws(ArchiveError) in _ = try decode(bytes) } != "no error")
    // The last check of gzip data is its length field.
    var trailer = try Self.compressed("gzip -c", "printf abc")
    trailer[trailer.count - 6] ^= 1
    #expect(failure { () throws(ArchiveError) in _ = try decode(trailer) } == "gzip: invalid checksum")
  }

  @Test("A zstd frame with a window above the limit is refused with a reason, and read when allowed")
  func windowLimit() throws {
    let bytes = try Self.compressed("zstd -qc --long=28", "seq 1 1000")
    #expect(failure { () throws(ArchiveError) in _ = try decode(bytes) }.contains("window of more than 128 MiB"))
    #expect(try ZstdDecoder(BytesSource(bytes), windowLog: 28).readToEnd().count == 3893)
  }

  @Test("What is written is read by the usual programs")
  func encoders() throws {
    for (format, command) in [(Compression.gzip, "gzip -dc"), (.zstd, "zstd -dc")] {
      for content in [[], Array("abc".utf8), Self.plain] {
        let memory = BytesSink()
        let sink = try encoder(for: format, over: memory)
        for start in stride(from: 0, to: content.count, by: 1000) {
          try sink.write(Array(content[start..<min(start + 1000, content.count)]))
        }
        try sink.finish()
        // A shell's printf knows octal escapes only.
        let escaped = memory.bytes.map { "\\" + text(octal(Int($0), 3).dropLast()) }.joined()
        #expect(try decode(memory.bytes) == content)
        if escaped.utf8.count < 20_000 {
          #expect(try scriptOutput("printf '\(escaped)' | \(command)") == content)
        }
      }
    }
  }

  @Test("A gzip header has the reference's bytes")
  func gzipHeader() throws {
    let memory = BytesSink()
    try GzipSink(memory).finish()
    #expect(Array(memory.bytes.prefix(10)) == [0x1F, 0x8B, 8, 0, 0, 9, 0x6E, 0x88, 0, 0xFF])
  }

  @Test("bzip2 and xz are not written")
  func unsupportedOutput() {
    #expect(
      failure { () throws(ArchiveError) in _ = try encoder(for: .bzip2, over: BytesSink()) }
        == "unsupported compression format tar.bz2")
    #expect(
      failure { () throws(ArchiveError) in _ = try encoder(for: .xz, over: BytesSink()) }
        == "unsupported compression format tar.xz")
  }

  @Test(
    "CRC-64/GO-ISO gives the published values",
    arguments: [
      ("", UInt64(0)), ("1", 0x4320_0000_0000_0000), ("q", 0x2F20_0000_0000_0000), ("hello", 0x3C3E_EEE2_D810_0000),
      ("123456789", 0xB909_56C7_75A4_1001),
    ])
  func checkValues(_ input: String, _ value: UInt64) {
    var whole = CRC64()
    Array(input.utf8).withUnsafeBytes { whole.update($0) }
    #expect(whole.value == value)
    var pieces = CRC64()
    for byte in input.utf8 { [byte].withUnsafeBytes { pieces.update($0) } }
    #expect(pieces.value == value)
  }
}

@Suite struct PipelineTests {
  final class FailingSource: ByteSource {
    var remaining = 3
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
      remaining -= 1
      if remaining < 0 { throw .unexpectedEnd }
      buffer[0] = 7
      return 1
    }
  }

  @Test("An upstream error comes after the bytes before it")
  func errors() throws {
    let pipeline = PipelineSource(FailingSource())
    for _ in 0..<3 { #expect(try pipeline.nextChunk().count == 1) }
    #expect(throws: ArchiveError.self) { try pipeline.nextChunk() }
  }

  @Test("Going away while upstream waits for a pipe does not hang")
  func cancellation() throws {
    var ends: [CInt] = [0, 0]
    try #require(pipe(&ends) == 0)
    defer { for end in ends { close(end) } }
    for _ in 0..<20 {
      let pipeline = PipelineSource(DescriptorSource(ends[0]))
      usleep(500)
      _ = pipeline
    }
    let pipeline = PipelineSource(GzipDecoder(DescriptorSource(ends[0])))
    pipeline.cancel()
    #expect(throws: ArchiveError.self) { try pipeline.nextChunk() }
  }

  @Test("Going away while the buffers are full does not hang")
  func cancellationWhenFull() throws {
    let pipeline = PipelineSource(BytesSource([UInt8](repeating: 1, count: 1 << 20)), bufferSize: 4096, depth: 2)
    #expect(try pipeline.nextChunk().count == 4096)
  }

  @Test("A pipe that delivers one byte at first is still judged by ten")
  func slowPipe() throws {
    var ends: [CInt] = [0, 0]
    try #require(pipe(&ends) == 0)
    let bytes = try CompressionTests.compressed("gzip -c", "printf hello")
    let writer = ends[1]
    let thread = try PlainThread { SlowWriter(descriptor: writer, bytes: bytes).run() }
    let source = PeekedSource(DescriptorSource(ends[0], closes: true))
    #expect(try detectCompression(of: source) == .gzip)
    #expect(text(try GzipDecoder(source).readToEnd()) == "hello")
    thread.join()
  }
}

final class SlowWriter: Sendable {
  let descriptor: CInt
  let bytes: [UInt8]
  init(descriptor: CInt, bytes: [UInt8]) {
    self.descriptor = descriptor
    self.bytes = bytes
  }
  func run() {
    for index in bytes.indices {
      _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + index }, 1) }
      usleep(2000)
    }
    close(descriptor)
  }
}
