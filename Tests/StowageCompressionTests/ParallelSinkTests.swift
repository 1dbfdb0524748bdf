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

  @Test(arguments: [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2_500_000])
  func `What gzip reads is what was written`(count: Int) throws {
    let bytes = Self.content(count)
    let result = try compressed(bytes, step: 300_000, threads: nil)
    #expect(try scriptOutput("gzip -dc < data", files: ["data": result]) == bytes)
    #expect(try decode(result) == bytes)
    #expect(Array(result.prefix(10)) == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
  }

  @Test func `Bytes of every kind come back: none alike, all alike, few symbols, long codes, far and near matches`()
    throws
  {
    var generator = SeededGenerator(seed: 9)
    let random = (0..<200_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
    // Frequencies like Fibonacci's numbers make the longest codes there can be.
    var (skewed, a, b): ([UInt8], Int, Int) = ([], 1, 1)
    for symbol in UInt8(0)..<24 {
      skewed += [UInt8](repeating: symbol, count: min(a, 40_000))
      (a, b) = (b, a + b)
    }
    skewed.shuffle(using: &generator)
    let near = (0..<100_000).map { UInt8($0 % 3) }
    let far = random.prefix(32_768) + random.prefix(32_768) + random.prefix(32_769) + random.prefix(40_000)
    let cases: [[UInt8]] = [
      random, [UInt8](repeating: 7, count: 700_000), skewed, near, Array(far), [1], [1, 2, 3], [5, 5, 5, 5, 5],
      Array(random.prefix(70_000)) + [UInt8](repeating: 0, count: 300) + Array(random.prefix(66_000)), plain,
    ]
    for (index, bytes) in cases.enumerated() {
      let result = try compressed(bytes, step: 1 << 20, threads: 2)
      #expect(try scriptOutput("gzip -dc < data", files: ["data": result]) == bytes, "\(index)")
      #expect(try decode(result) == bytes, "\(index)")
      #expect(result.count <= bytes.count + bytes.count / 1000 + 64, "\(index)")
    }
  }

  @Test func `Short pieces of every length and kind are read by another program`() throws {
    var generator = SeededGenerator(seed: 11)
    for count in [1, 2, 3, 10, 100, 143, 144, 288, 1000, 80_000] {
      for lowest in [UInt8(0), 144, 250] {
        let bytes = (0..<count).map { _ in UInt8.random(in: lowest...255, using: &generator) }
        let result = try compressed(bytes, step: 777, threads: 1)
        #expect(try scriptOutput("gzip -dc < data", files: ["data": result]) == bytes, "\(count) from \(lowest)")
        #expect(try decode(result) == bytes, "\(count) from \(lowest)")
      }
    }
  }

  @Test func `Text is compressed about as well as by zlib's level 3`() throws {
    let repository = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let documents = try scriptOutput("cat \(repository)/docs/spec/*.md")
    let count = try scriptOutput(
      "python3 -c 'import sys,zlib; print(len(zlib.compress(open(\"data\", \"rb\").read(), 3)))'",
      files: ["data": documents])
    let zlib = try #require(Int(text(count.dropLast())))
    #expect(try compressed(documents, step: 1 << 20, threads: 1).count <= zlib * 21 / 20)
  }

  @Test func `The bytes depend neither on the threads nor on the pieces written`() throws {
    let bytes = Self.content(2_500_000)
    let one = try compressed(bytes, step: 2_500_000, threads: 1)
    #expect(try compressed(bytes, step: 4097, threads: 3) == one)
    #expect(try compressed(bytes, step: 1 << 20, threads: 8) == one)
    var results: [[UInt8]] = []
    for step in [2_500_000, 4097] {
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
