// SPDX-License-Identifier: Apache-2.0
import StowageCompression
import StowageTestSupport
import Testing

/// Expected values: RFC 8878, and what `zstd` reads and writes.
@Suite("Reading and writing zstd") struct ZstdTests {
  private func frame(_ options: String = "", _ input: String = "printf abc") throws -> [UInt8] {
    try scriptOutput("\(input) | zstd -qc \(options)")
  }

  @Test func `Skippable frames before, between and after frames are passed over`() throws {
    let frame = try frame()
    for low in UInt8(0x50)...0x5F {
      let skippable: [UInt8] = [low, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]
      let empty: [UInt8] = [low, 0x2A, 0x4D, 0x18, 0, 0, 0, 0]
      for bytes in [frame + skippable + frame + empty, skippable + empty + frame + skippable + frame] {
        for chunk in [1, 5, 1 << 20] {
          #expect(text(try ZstdDecoder(BytesSource(bytes, chunkSize: chunk)).readToEnd()) == "abcabc")
        }
        #expect(text(try scriptOutput("zstd -dqc < data", files: ["data": bytes])) == "abcabc", "as zstd reads it")
      }
    }
  }

  @Test func `A skippable frame that is cut off is an unexpected end`() throws {
    let bytes = try frame() + [0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]
    for count in 1...10 { #expect(decodingFailure(bytes.dropLast(count)) == "unexpected EOF") }
  }

  @Test(arguments: ["-1", "-19", "--fast=10", "--no-check", "--check", "--no-content-size", "--long=27", "-T2 -B4096"])
  func `Frames of every kind are decoded`(_ options: String) throws {
    let bytes = try frame(options, "seq 1 60000")
    for chunk in [777, 1 << 20] { #expect(try decode(bytes, chunk: chunk) == plain) }
  }

  @Test func `Raw blocks and blocks of one byte are decoded`() throws {
    // Random bytes are stored, zeros are run lengths.
    let expected = try python("random.seed(1); out(random.randbytes(200000) + bytes(3000000))")
    let bytes = try scriptOutput("zstd -qc < data", files: ["data": expected])
    #expect(try decode(bytes) == expected)
  }

  @Test func `A wrong checksum of the content is an error`() throws {
    var bytes = try frame("--check")
    bytes[bytes.count - 1] ^= 1
    #expect(decodingFailure(bytes).hasPrefix("zstd: "))
    let error = #expect(throws: ArchiveError.self) { try decode(bytes) }
    #expect(error?.kind == .invalidCompressedData)
  }

  @Test func `A frame that needs a dictionary is refused`() throws {
    let bytes = try scriptOutput(
      """
      mkdir d; for i in $(seq 1 200); do seq $i $((i + 60)) > d/$i; done
      zstd -q --train d/* -o dictionary >/dev/null 2>&1; seq 1 100 | zstd -qc -D dictionary
      """)
    #expect(decodingFailure(bytes).hasPrefix("zstd: "))
  }

  @Test func `A frame with a window above the limit is refused with a reason, and read when allowed`() throws {
    let bytes = try frame("--long=28", "seq 1 1000")
    #expect(decodingFailure(bytes).contains("window of more than 128 MiB"))
    let error = #expect(throws: ArchiveError.self) { try decode(bytes) }
    #expect(error?.kind == .unsupported)
    #expect(try ZstdDecoder(BytesSource(bytes), windowLog: 28).readToEnd() == scriptOutput("seq 1 1000"))
  }

  @Test(arguments: [CInt(1), 3, 19], [0, 1, 131_072, 338_894])
  func `The program zstd reads what is written, with a checksum`(level: CInt, count: Int) throws {
    let content = Array(plain.prefix(count))
    let memory = BytesSink()
    let sink = try ZstdSink(memory, level: level)
    for start in stride(from: 0, to: content.count, by: 10_000) {
      try sink.write(Array(content[start..<min(start + 10_000, content.count)]))
    }
    try sink.finish()
    #expect(try scriptOutput("zstd -dqc < data", files: ["data": memory.bytes]) == content)
    let list = text(try scriptOutput("zstd -lv data.zst", files: ["data.zst": memory.bytes]))
    #expect(list.contains("Check: XXH64"))
    #expect(list.contains("# Zstandard Frames: 1\n"))
  }

  @Test func `Frames end where that is asked for, and a frame without a byte is none`() throws {
    let memory = BytesSink()
    let sink = try ZstdSink(memory)
    try sink.endFrame()
    #expect(memory.bytes.isEmpty)
    try sink.write(Array("abc".utf8))
    try sink.endFrame()
    let first = memory.bytes
    try sink.endFrame()
    try sink.write([])
    try sink.endFrame()
    #expect(memory.bytes == first)
    try sink.write(Array("def".utf8))
    try sink.finish()
    let second = Array(memory.bytes.dropFirst(first.count))
    for (bytes, content) in [(first, "abc"), (second, "def"), (memory.bytes, "abcdef")] {
      #expect(text(try scriptOutput("zstd -dqc < data", files: ["data": bytes])) == content)
    }
    let list = text(try scriptOutput("zstd -lv data.zst", files: ["data.zst": memory.bytes]))
    #expect(list.contains("# Zstandard Frames: 2\n"))
  }
}
