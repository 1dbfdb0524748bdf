// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Reading and writing data") struct DataTests {
  private func withFile(_ text: String, _ body: (FilePath, CInt) throws -> Void) throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("f")
      try path.write(text)
      let file = try Syscall.open(path, .readWrite)
      try body(path, file.rawValue)
    }
  }

  private func read(_ descriptor: CInt, at offset: Int64? = nil, count: Int = 100) throws -> String {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { buffer.deallocate() }
    let size =
      try offset.map { try Syscall.pread(descriptor, into: buffer, at: $0) }
      ?? Syscall.read(descriptor, into: buffer)
    return String(decoding: buffer[..<size], as: UTF8.self)
  }

  @Test func `Reading at an offset leaves the offset of the file alone`() throws {
    try withFile("0123456789") { _, file in
      try Syscall.seek(file, to: 0)
      #expect(try read(file, count: 3) == "012")
      #expect(try read(file, at: 8) == "89")
      #expect(try read(file, at: 10).isEmpty)
      #expect(try read(file, at: 1 << 40).isEmpty)
      #expect(try read(file) == "3456789")
      #expect(throws: Errno.invalidArgument) { try read(file, at: -1) }
    }
  }

  @Test func `Writing at an offset leaves a hole before it, and the offset alone`() throws {
    try withFile("abc") { path, file in
      try Array("xyz".utf8).withUnsafeBytes { try Syscall.pwrite(file, all: $0, at: 5) }
      #expect(try path.readBytes() == Array("abc\0\0xyz".utf8))
      try Array("A".utf8).withUnsafeBytes { try Syscall.write(file, all: $0) }
      #expect(try path.readText().hasPrefix("Abc"))
    }
  }

  @Test func `A limit of reading is kept exactly`() throws {
    try withFile("0123456789") { path, _ in
      let whole = try Syscall.readFile(path, limit: 10)
      #expect(whole.count == 10)
      #expect(throws: Errno.fileTooLarge) { try Syscall.readFile(path, limit: 9) }
    }
    // A file that does not tell its size, and one without end.
    #expect(try Syscall.readFile("/proc/self/mountinfo") == Syscall.readFile("/proc/thread-self/mountinfo"))
    #expect(throws: Errno.fileTooLarge) { try Syscall.readFile("/dev/zero", limit: 100_000) }
    #expect(throws: Errno.isDirectory) { try Syscall.readFile("/") }
  }

  @Test func `A pipe is read to its end, in however many pieces that comes`() throws {
    let pipe = try Syscall.pipe()
    let child = try Syscall.spawn(
      "sh", ["-c", "for i in 1 2 3; do seq 1 5000; sleep 0.01; done"], output: pipe.writer.rawValue)
    let reader = pipe.closingWriter()
    let expected = try run("seq", "1", "5000").outputText
    #expect(try String(decoding: Syscall.readAll(reader.rawValue), as: UTF8.self) == expected + expected + expected)
    #expect(try child.wait().isSuccess)
  }

  @Test func `Sizes are set`() throws {
    try withFile("abc") { path, file in
      try Syscall.ftruncate(file, size: 100_000)
      #expect(try Syscall.lstat(path).size == 100_000)
      try Syscall.ftruncate(file, size: 2)
      #expect(try path.readText() == "ab")
      #expect(throws: Errno.invalidArgument) { try Syscall.ftruncate(file, size: -1) }
    }
  }

  @Test func `Holes and data of a file are found from each side`() throws {
    try withFile("") { _, file in
      try Syscall.ftruncate(file, size: 3 << 20)
      try [UInt8](repeating: 1, count: 4096).withUnsafeBytes { try Syscall.pwrite(file, all: $0, at: 1 << 20) }
      #expect(try Syscall.seek(file, next: .hole, from: 0) == 0)
      #expect(try Syscall.seek(file, next: .data, from: 0) == 1 << 20)
      #expect(try Syscall.seek(file, next: .hole, from: 1 << 20) == (1 << 20) + 4096)
      #expect(try Syscall.seek(file, next: .data, from: 2 << 20) == nil)
      #expect(try Syscall.seek(file, next: .data, from: 3 << 20) == nil)
      #expect(try Syscall.seek(file, to: 5) == 5)
    }
    let pipe = try Syscall.pipe()
    #expect(throws: Errno.illegalSeek) { try Syscall.seek(pipe.reader.rawValue, next: .data, from: 0) }
  }

  @Test func `Ranges are copied between offsets, and the offsets of the files stay`() throws {
    try withTemporaryDirectory { directory in
      try directory.appending("a").write("0123456789")
      try directory.appending("b").write("..........")
      let source = try Syscall.open(directory.appending("a"), .readOnly)
      let target = try Syscall.open(directory.appending("b"), .readWrite)
      #expect(
        try Syscall.copyFileRange(from: source.rawValue, at: 2, to: target.rawValue, at: 5, count: 3) == 3)
      #expect(try directory.appending("b").readText() == ".....234..")
      #expect(try read(source.rawValue, count: 1) == "0")
      #expect(try read(target.rawValue, count: 1) == ".")
      #expect(try Syscall.copyFileRange(from: source.rawValue, at: 10, to: target.rawValue, at: 0, count: 3) == 0)
    }
  }

  @Test func `Memory file systems share no blocks`() throws {
    let source = try Syscall.open("/dev/shm", [.readWrite, .temporary], mode: 0o600)
    let target = try Syscall.open("/dev/shm", [.readWrite, .temporary], mode: 0o600)
    try [UInt8](repeating: 1, count: 4096).withUnsafeBytes { try Syscall.write(source.rawValue, all: $0) }
    #expect(throws: Errno.notSupportedOnSocket) { try Syscall.ficlone(from: source.rawValue, to: target.rawValue) }
    #expect(throws: Errno.self) {
      try Syscall.shareRange(of: source.rawValue, with: target.rawValue, at: 0, count: 4096)
    }
  }

  @Test(.tags(.root), .enabled(if: canMountBtrfs, "needs btrfs on a loop device"))
  func `On btrfs a clone is equal, and ranges are shared if they have the same bytes`() throws {
    let volume = try TemporaryDirectory("share", for: "btrfs")
    defer { withExtendedLifetime(volume) {} }
    let content = [UInt8](repeating: 7, count: 65536)
    for (name, bytes) in [("a", content), ("same", content), ("other", [UInt8](repeating: 8, count: 65536)), ("c", [])]
    {
      try volume.appending(name).write(bytes)
    }
    func open(_ name: String) throws -> SharedDescriptor {
      SharedDescriptor(try Syscall.open(volume.appending(name), .readWrite))
    }
    let files = try ["a", "same", "other", "c"].map { try open($0) }
    #expect(try Syscall.shareRange(of: files[0].rawValue, with: files[1].rawValue, at: 0, count: 65536) == 65536)
    #expect(try Syscall.shareRange(of: files[0].rawValue, with: files[2].rawValue, at: 0, count: 65536) == nil)
    try Syscall.ficlone(from: files[0].rawValue, to: files[3].rawValue)
    #expect(try volume.appending("c").readBytes() == content)
  }

  @Test func `A setting is written in one call, and refused as the kernel refuses it`() throws {
    try withFile("") { path, _ in
      try Syscall.writeSetting(path, "0 1000 1\n")
      #expect(try path.readText() == "0 1000 1\n")
    }
    #expect(throws: Errno.noSpace) { try Syscall.writeSetting("/dev/full", "x") }
    #expect(throws: Errno.invalidArgument) { try Syscall.writeSetting("/proc/self/oom_score_adj", "many") }
  }

  @Test func `Flushing files and file systems works on files only`() throws {
    try withFile("x") { path, file in
      try Syscall.fsync(file)
      try Syscall.fdatasync(file)
      try Syscall.syncfs(file)
      #expect(throws: Errno.badFileDescriptor) { try Syscall.fsync(-1) }
      let pipe = try Syscall.pipe()
      #expect(throws: Errno.invalidArgument) { try Syscall.fdatasync(pipe.writer.rawValue) }
      #expect(throws: Errno.badFileDescriptor) { try Syscall.syncfs(-1) }
    }
  }
}
