// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@testable import StowageCompression

@Suite("Pipelines of bytes", .timeLimit(.minutes(1))) struct PipelineTests {
  @Test func `All bytes pass in order, whatever the sizes of buffers and reads`() throws {
    for (size, depth, chunk) in [(4096, 2, 7), (4096, 3, 100_000), (1 << 20, 8, 5000)] {
      let plain = Array(plain.prefix(100_000))
      let pipeline = PipelineSource(BytesSource(plain, chunkSize: chunk), bufferSize: size, depth: depth)
      let buffer = RawBuffer(count: 777)
      var seen: [UInt8] = []
      while case let count = try pipeline.read(into: buffer.bytes), count > 0 {
        seen.append(contentsOf: buffer.bytes[..<count])
        // Chunks and reads may take turns.
        seen.append(contentsOf: try pipeline.nextChunk())
      }
      #expect(seen == plain)
      #expect(try pipeline.nextChunk().isEmpty)
    }
  }

  @Test func `An upstream error comes after the bytes before it, and stays`() throws {
    let pipeline = PipelineSource(FailingSource([[1], [2], [3]]))
    for byte in UInt8(1)...3 { #expect(try pipeline.nextChunk().elementsEqual([byte])) }
    for _ in 0..<2 { #expect(failure { () throws(ArchiveError) in _ = try pipeline.nextChunk() } == "upstream failed") }
  }

  @Test func `Going away while upstream waits for a pipe does not hang`() throws {
    let pipe = try Syscall.pipe()
    for _ in 0..<20 {
      let pipeline = PipelineSource(DescriptorSource(pipe.reader.rawValue))
      usleep(500)
      _ = pipeline
    }
    let pipeline = PipelineSource(GzipDecoder(DescriptorSource(pipe.reader.rawValue)))
    pipeline.cancel()
    #expect(throws: ArchiveError.self) { try pipeline.nextChunk() }
  }

  @Test func `Going away while the buffers are full does not hang`() throws {
    let pipeline = PipelineSource(BytesSource([UInt8](repeating: 1, count: 1 << 20)), bufferSize: 4096, depth: 2)
    #expect(try pipeline.nextChunk().count == 4096)
  }

  @Test func `A pipe that delivers one byte at first is still judged by ten`() throws {
    let bytes = try Format.all[0].compressed("printf hello")
    let pipe = try Syscall.pipe()
    let hexadecimal = bytes.map { String($0, radix: 16) }.joined(separator: " ")
    let script = """
      import sys, time
      with open(sys.argv[1], "wb", buffering=0) as pipe:
          for digits in sys.argv[2].split():
              pipe.write(bytes([int(digits, 16)])); time.sleep(0.002)
      """
    let path = "/proc/\(getpid())/fd/\(pipe.writer.rawValue)"
    let writer = try start(["python3", "-c", script, path, hexadecimal])
    let source = PeekedSource(DescriptorSource(pipe.reader.rawValue))
    #expect(try detectCompression(of: source) == .gzip)
    let buffer = RawBuffer(count: 5)
    var filled = 0
    let decoder = GzipDecoder(source)
    while filled < 5 {
      filled += try decoder.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[filled...]))
    }
    #expect(text(buffer.bytes) == "hello")
    #expect(try writer.wait().isSuccess)
  }

  @Test func `A ring lends the oldest buffer until it is given back`() throws {
    let ring = BufferRing(FailingSource([[1, 2], [3]], then: .unexpectedEnd), bufferSize: 16, depth: 3)
    ring.fill()
    #expect(try ring.take().elementsEqual([1, 2]))
    #expect(try ring.take().elementsEqual([1, 2]), "taken is not given back")
    ring.giveBack()
    #expect(try ring.take().elementsEqual([3]))
    ring.giveBack()
    #expect(failure { () throws(ArchiveError) in _ = try ring.take() } == "unexpected EOF")
  }

  @Test func `The end of a ring is an empty buffer, and cancelling it hides what is in it`() throws {
    let whole = BufferRing(BytesSource([1, 2, 3], chunkSize: 2), bufferSize: 16, depth: 4)
    whole.fill()
    #expect(try whole.take().count == 2)
    whole.giveBack()
    #expect(try whole.take().count == 1)
    whole.giveBack()
    #expect(try whole.take().isEmpty)
    let source = FailingSource([[1]])
    let cancelled = BufferRing(source, bufferSize: 16, depth: 2)
    cancelled.cancel()
    #expect(source.isCancelled)
    cancelled.fill()
    #expect(failure { () throws(ArchiveError) in _ = try cancelled.take() } == "operation cancelled")
    let failed = BufferRing(source, bufferSize: 16, depth: 2)
    failed.fail(.system("pthread_create", .resourceTemporarilyUnavailable))
    #expect(
      failure { () throws(ArchiveError) in _ = try failed.take() }
        == "pthread_create: resource temporarily unavailable")
  }

  @Test func `A wait for a descriptor ends with data, with its end, and with a signal`() throws {
    let wake = try #require(WakePipe())
    let pipe = try Syscall.pipe()
    try [UInt8(1)].withUnsafeBytes { try Syscall.write(pipe.writer.rawValue, all: $0) }
    try wake.wait(for: pipe.reader.rawValue)
    let buffer = RawBuffer(count: 1)
    #expect(try Syscall.read(pipe.reader.rawValue, into: buffer.bytes) == 1)
    let reader = pipe.closingWriter()
    try wake.wait(for: reader.rawValue)
    wake.signal()
    wake.signal()
    for _ in 0..<2 {
      #expect(failure { () throws(ArchiveError) in try wake.wait(for: reader.rawValue) } == "operation cancelled")
    }
  }
}
