// SPDX-License-Identifier: Apache-2.0
import StowageCompression
import StowageTestSupport
import Testing

/// Expected values: what was written, as `gzip` and `zstd` read it.
@Suite("Compressing on all processors") struct ParallelSinkTests {
  /// Text that compresses, with repetitions across the borders of pieces.
  private static func content(_ count: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: 7)
    let words = (0..<500).map { _ in (0..<8).map { _ in UInt8.random(in: 97...122, using: &generator) } }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count { bytes += words[Int.random(in: 0..<500, using: &generator)] }
    return Array(bytes.prefix(count))
  }

  private func compressed(_ bytes: [UInt8], step: Int, threads: Int?) throws -> [UInt8] {
    let result = BytesSink()
    let sink = try ParallelGzipSink(result, threads: threads)
    for start in stride(from: 0, to: bytes.count, by: step) {
      try sink.write(Array(bytes[start..<min(start + step, bytes.count)]))
    }
    try sink.finish()
    return result.bytes
  }

  @Test(arguments: [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5_000_000])
  func `What gzip reads is what was written`(count: Int) throws {
    let bytes = Self.content(count)
    let result = try compressed(bytes, step: 300_000, threads: nil)
    #expect(try scriptOutput("gzip -dc < data", files: ["data": result]) == bytes)
    #expect(try decode(result) == bytes)
    #expect(Array(result.prefix(10)) == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
  }

  @Test func `The bytes depend neither on the threads nor on the pieces written`() throws {
    let bytes = Self.content(5_000_000)
    let one = try compressed(bytes, step: 5_000_000, threads: 1)
    #expect(try compressed(bytes, step: 4097, threads: 3) == one)
    #expect(try compressed(bytes, step: 1 << 20, threads: 8) == one)
    var results: [[UInt8]] = []
    for step in [5_000_000, 4097] {
      let result = BytesSink()
      let sink = try ZstdSink(result, isParallel: true)
      for start in stride(from: 0, to: bytes.count, by: step) {
        try sink.write(Array(bytes[start..<min(start + step, bytes.count)]))
      }
      try sink.finish()
      results.append(result.bytes)
    }
    #expect(results[0] == results[1])
    #expect(try scriptOutput("zstd -dqc < data", files: ["data": results[0]]) == bytes)
  }

  @Test func `A sink that fails ends the compression, and one that is given up ends its threads`() throws {
    let bytes = Self.content(3 << 20)
    let sink = try ParallelGzipSink(FullSink(), threads: 2)
    #expect(failure { () throws(ArchiveError) in for _ in 0..<9 { try sink.write(bytes) } } == "full")
    let abandoned = try ParallelGzipSink(BytesSink(), threads: 2)
    try abandoned.write(bytes)
  }
}

/// Takes a header, and then nothing more.
private final class FullSink: ByteSink {
  private var count = 0
  func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    count += bytes.count
    if count > 10 { throw ArchiveError(.caller, "full") }
  }
  func finish() {}
}
