// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Expected values: `stat` and `findmnt`, and `stat.h` for the bits.
@Suite("Status of files and file systems") struct StatusTests {
  private func output(_ command: String...) throws -> String {
    let result = try run(command)
    try #require(result.isSuccess, "\(result)")
    return String(result.outputText.dropLast())
  }

  private func line(_ status: FileStatus) -> String {
    func hex(_ number: some BinaryInteger) -> String { String(number, radix: 16) }
    let numbers = "\(status.uid) \(status.gid) \(status.size) \(status.blocks) \(status.inode) \(status.device)"
    let times = [status.accessTime, status.modificationTime, status.changeTime].map { time in
      let digits = String(time.nanoseconds)
      return "\(time.seconds).\(String(repeating: "0", count: 9 - digits.count))\(digits)"
    }
    return "\(hex(status.mode)) \(numbers) \(status.linkCount) \(hex(status.deviceMajor)) \(hex(status.deviceMinor)) "
      + times.joined(separator: " ")
  }

  @Test(arguments: ["/", "/etc/passwd", "/dev/null", "/dev/tty", "/proc/self", "/dev/shm", "/usr/bin/env"])
  func `Every field is that of stat`(_ path: String) throws {
    let format = "%f %u %g %s %b %i %d %h %t %T %.9X %.9Y %.9Z"
    // Links of /proc are another process', so the target is compared there.
    let ours = path == "/proc/self" ? "/proc/1" : path
    #expect(try line(Syscall.lstat(FilePath(ours))) == output("stat", "-c", format, ours))
    #expect(try line(Syscall.stat(FilePath(ours))) == output("stat", "-L", "-c", format, ours))
    let handle = try Syscall.open(FilePath(ours), .path)
    #expect(try line(Syscall.fstat(handle.rawValue)) == output("stat", "-L", "-c", format, ours))
    #expect(try Syscall.fstatat(handle.rawValue, "", flags: .emptyPath) == Syscall.fstat(handle.rawValue))
  }

  @Test func `A link is described itself or followed`() throws {
    try withTemporaryDirectory { directory in
      try directory.appending("f").write("hello")
      try Syscall.symlink(target: "f", at: directory.appending("l"))
      try Syscall.symlink(target: "nowhere", at: directory.appending("dangling"))
      #expect(try Syscall.lstat(directory.appending("l")).kind == .symbolicLink)
      #expect(try Syscall.lstat(directory.appending("l")).size == 1)
      #expect(try Syscall.stat(directory.appending("l")).size == 5)
      #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.stat(directory.appending("dangling")) }
      #expect(Syscall.exists(directory.appending("dangling")))
      #expect(!Syscall.exists(directory.appending("missing")))
      #expect(!Syscall.exists(directory.appending("f/below")))
      #expect(throws: Errno.notDirectory) { try Syscall.lstat(directory.appending("f/below")) }
      #expect(throws: Errno.badFileDescriptor) { try Syscall.fstat(-1) }
    }
  }

  @Test func `Hard links are the same file, and equal content is not`() throws {
    try withTemporaryDirectory { directory in
      for name in ["a", "b"] { try directory.appending(name).write("x") }
      try Syscall.link(directory.appending("a"), directory.appending("c"))
      let status = try ["a", "b", "c"].map { try Syscall.lstat(directory.appending($0)) }
      #expect(status[0].isSameFile(as: status[2]))
      #expect(!status[0].isSameFile(as: status[1]))
      #expect(status.map(\.linkCount) == [2, 1, 2])
    }
  }

  @Test func `The kinds are the bits of stat_h, and permissions the rest`() {
    let kinds: [(UInt32, FileKind)] = [
      (0o100644, .regular), (0o040755, .directory), (0o120777, .symbolicLink), (0o020600, .characterDevice),
      (0o060600, .blockDevice), (0o010600, .fifo), (0o140600, .socket), (0o000644, .unknown), (0o170000, .unknown),
    ]
    for (mode, kind) in kinds { #expect(FileKind(mode: mode) == kind) }
  }

  @Test func `Times are ordered by seconds, then nanoseconds`() {
    let times = [(-2, 999_999_999), (-1, 0), (0, 0), (0, 1), (1, 0)].map { FileTime(seconds: $0, nanoseconds: $1) }
    #expect(times.shuffled().sorted() == times)
    #expect(times[2] == .epoch)
    let (before, after) = (FileTime.now(), FileTime.now())
    #expect(before <= after && before.seconds > 1_700_000_000 && (0..<1_000_000_000).contains(before.nanoseconds))
  }

  @Test func `Device numbers are put together as Python does`() throws {
    let numbers: [(UInt32, UInt32)] = [
      (0, 0), (1, 3), (8, 255), (8, 256), (259, 1_048_575), (4095, 255), (4096, 70000),
    ]
    let script = "import os; print(' '.join(str(os.makedev(a, b)) for a, b in ["
    let list = numbers.map { "(\($0.0), \($0.1))" }.joined(separator: ", ")
    let expected = try output("python3", "-c", script + list + "]))")
    #expect(numbers.map { "\(makeDevice(major: $0.0, minor: $0.1))" }.joined(separator: " ") == expected)
  }

  @Test func `The mount, its root and the time of creation are those that others tell`() throws {
    #expect(try Syscall.statx("/proc").isMountRoot == true)
    #expect(try Syscall.statx("/proc/self").isMountRoot == false)
    #expect(try Syscall.statx("/proc").mountID.map { "\($0)" } == output("findmnt", "-no", "ID", "/proc"))
    try withTemporaryDirectory { directory in
      let status = try Syscall.statx(directory)
      let seconds = try output("stat", "-c", "%W", directory.string)
      // `stat` shows 0 where the file system does not keep it.
      #expect(status.birthTime.map { "\($0.seconds)" } ?? "0" == seconds)
      #expect(!status.isImmutable)
      let handle = try Syscall.open(directory, [.path, .directory])
      #expect(try Syscall.statx(handle.rawValue, "", flags: .emptyPath) == status)
      #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.statx(handle.rawValue, "missing") }
    }
  }

  @Test(arguments: ["/tmp", "/proc", "/dev/shm"])
  func `File systems are described as stat does it`(_ path: String) throws {
    let info = try Syscall.statfs(FilePath(path))
    let ours = "\(String(info.magic, radix: 16)) \(info.blocks) \(info.files)"
    #expect(try output("stat", "-f", "-c", "%t %b %c", path) == ours)
    #expect(info.freeBlocks <= info.blocks && info.availableBlocks <= info.freeBlocks && info.freeFiles <= info.files)
    #expect(info.blockSize > 0)
    let handle = try Syscall.open(FilePath(path), [.readOnly, .directory])
    #expect(try Syscall.fstatfs(handle.rawValue).magic == info.magic)
    #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.statfs("/nonexistent") }
  }
}
