// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageCompression
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Reading and writing descriptors") struct DescriptorTests {
  @Test func `A file is read from its offset to its end`() throws {
    try withTemporaryDirectory { directory in
      try directory.appending("f").write(plain)
      let file = try Syscall.open(directory.appending("f"), .readOnly)
      #expect(try DescriptorSource(file.rawValue).readToEnd() == plain)
      try Syscall.seek(file.rawValue, to: 1000)
      #expect(try DescriptorSource(file.rawValue).readToEnd() == Array(plain[1000...]))
      try Syscall.seek(file.rawValue, to: 1 << 40)
      #expect(try DescriptorSource(file.rawValue).readToEnd().isEmpty)
    }
  }

  @Test func `A descriptor is closed at the end only if that was asked for`() throws {
    let file = try Syscall.open("/dev/null", .readOnly)
    let other = try file.duplicate().release()
    func readAll(_ descriptor: CInt, closes: Bool) throws {
      #expect(try DescriptorSource(descriptor, closes: closes).readToEnd().isEmpty)
    }
    try readAll(file.rawValue, closes: false)
    #expect(fcntl(file.rawValue, F_GETFD) != -1)
    let source = DescriptorSource(other, closes: true)
    #expect(try source.readToEnd().isEmpty)
    #expect(fcntl(other, F_GETFD) != -1, "open as long as the source lives")
    withExtendedLifetime(source) {}
  }

  @Test func `The write end of a pipe sees that a source that closes is gone`() throws {
    let pipe = try Syscall.pipe()
    let reader = try pipe.reader.duplicate().release()
    do {
      let source = DescriptorSource(reader, closes: true)
      withExtendedLifetime(source) {}
    }
    let writer = pipe.closingReader()
    signal(SIGPIPE, SIG_IGN)
    let sink = DescriptorSink(writer.rawValue)
    try sink.write([1])
    #expect(failure { () throws(ArchiveError) in try sink.flush() } == "write: broken pipe")
  }

  @Test func `What cannot be read is an error with the call and the kernel's text`() throws {
    let directory = try Syscall.open("/", [.readOnly, .directory])
    let error = #expect(throws: ArchiveError.self) { try DescriptorSource(directory.rawValue).readToEnd() }
    #expect(error?.message == "read: is a directory")
    #expect(error?.kind == .system)
    #expect(error?.cause as? Errno == .isDirectory)
    let writer = try Syscall.open("/dev/null", .writeOnly)
    let bad = DescriptorSource(writer.rawValue)
    #expect(failure { () throws(ArchiveError) in _ = try bad.readToEnd() } == "read: bad file descriptor")
  }

  @Test(.timeLimit(.minutes(1)))
  func `A read that waits for a pipe is cancelled from another thread`() throws {
    let pipe = try Syscall.pipe()
    let source = DescriptorSource(pipe.reader.rawValue)
    let pipeline = PipelineSource(source)
    // Give the pipeline's thread time to wait; if it does not wait yet, cancelling must work as well.
    usleep(20_000)
    source.cancel()
    source.cancel()
    #expect(failure { () throws(ArchiveError) in _ = try pipeline.nextChunk() } == "operation cancelled")
    #expect(failure { () throws(ArchiveError) in _ = try source.readToEnd() } == "operation cancelled")
  }

  @Test func `A descriptor that does not block is waited for`() throws {
    let pipe = try Syscall.pipe()
    #expect(fcntl(pipe.reader.rawValue, F_SETFL, O_NONBLOCK) == 0)
    let writer = try start(["sh", "-c", "sleep 0.05; printf abc >/proc/\(getpid())/fd/\(pipe.writer.rawValue)"])
    let buffer = RawBuffer(count: 10)
    #expect(try DescriptorSource(pipe.reader.rawValue).read(into: buffer.bytes) == 3)
    #expect(try writer.wait().isSuccess)
    // The same for a full pipe that is written to.
    #expect(fcntl(pipe.writer.rawValue, F_SETFL, O_NONBLOCK) == 0)
    let reader = try start([
      "sh", "-c", "sleep 0.05; head -c \(plain.count) /proc/\(getpid())/fd/\(pipe.reader.rawValue) | md5sum",
    ])
    let sink = DescriptorSink(pipe.writer.rawValue)
    try sink.write(plain)
    try sink.finish()
    let sum = try scriptOutput("seq 1 60000 | md5sum")
    #expect(try reader.wait().output == sum)
  }

  @Test func `Small writes are collected, large ones and the end go to the kernel in order`() throws {
    try withTemporaryDirectory { directory in
      let file = try Syscall.open(directory.appending("f"), [.readWrite, .create], mode: 0o600)
      let sink = DescriptorSink(file.rawValue, capacity: 4096)
      try sink.write(Array("abc".utf8))
      #expect(try Syscall.fstat(file.rawValue).size == 0)
      try sink.flush()
      #expect(try Syscall.fstat(file.rawValue).size == 3)
      try sink.write(Array("def".utf8))
      try sink.write([UInt8](repeating: 0x78, count: 4096))
      #expect(try Syscall.fstat(file.rawValue).size == 6 + 4096, "what was collected goes first")
      try sink.write([UInt8](repeating: 0x79, count: 4000))
      try sink.write([UInt8](repeating: 0x7A, count: 97))
      #expect(try Syscall.fstat(file.rawValue).size == 6 + 4096 + 4000)
      try sink.finish()
      let expected = "abcdef" + String(repeating: "x", count: 4096) + String(repeating: "y", count: 4000)
      #expect(try directory.appending("f").readText() == expected + String(repeating: "z", count: 97))
    }
  }

  @Test func `A full disk is an error with the call and the kernel's text`() throws {
    let full = try Syscall.open("/dev/full", .writeOnly)
    let small = DescriptorSink(full.rawValue)
    try small.write([1])
    let error = #expect(throws: ArchiveError.self) { try small.finish() }
    #expect(error?.message == "write: no space left on device")
    #expect(error?.cause as? Errno == .noSpace)
    let large = DescriptorSink(full.rawValue)
    #expect(failure { () throws(ArchiveError) in try large.write(plain) } == "write: no space left on device")
  }
}
