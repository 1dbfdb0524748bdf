// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("System calls") struct SyscallTests {
  @Test func `Status agrees with stat of coreutils`() throws {
    try withTemporaryDirectory { directory in
      let file = directory.appending("f")
      try file.write("hello")
      #expect(try run("chmod", "4751", file.string).isSuccess)
      #expect(try run("touch", "-d", "@1234567890.123456789", file.string).isSuccess)
      let status = try Syscall.lstat(file)
      let expected = try run("stat", "-c", "%a %u %g %s %i %d %h", file.string).outputText
      let mode = String(status.permissions, radix: 8)
      let owner = "\(status.uid) \(status.gid)"
      let ours = "\(mode) \(owner) \(status.size) \(status.inode) \(status.device) \(status.linkCount)"
      #expect("\(ours)\n" == expected)
      #expect(status.kind == .regular)
      #expect(status.modificationTime == FileTime(seconds: 1_234_567_890, nanoseconds: 123_456_789))
    }
  }

  @Test(.tags(.root), .enabled(if: isRoot, "device nodes need root"))
  func `Every kind of file is told apart`() throws {
    try withTemporaryDirectory { directory in
      try Syscall.mknod(directory.appending("c"), mode: 0o020644, device: makeDevice(major: 1, minor: 3))
      try Syscall.mknod(directory.appending("b"), mode: 0o060600, device: makeDevice(major: 7, minor: 300))
      try Syscall.mknod(directory.appending("p"), mode: 0o010600, device: 0)
      try Syscall.symlink(target: "nowhere", at: directory.appending("l"))
      try Syscall.mkdir(directory.appending("d"), mode: 0o755)
      let expected: [String: FileKind] = [
        "c": .characterDevice, "b": .blockDevice, "p": .fifo, "l": .symbolicLink, "d": .directory,
      ]
      let handle = try Syscall.open(directory, [.readOnly, .directory])
      var reader = DirectoryReader(borrowing: handle.rawValue)
      var seen: [String: FileKind] = [:]
      while let entry = try reader.next() {
        seen[entry.nameText] = try Syscall.fstatat(handle.rawValue, entry.name).kind
      }
      #expect(seen == expected)
      let block = try Syscall.lstat(directory.appending("b"))
      #expect(block.deviceMajor == 7 && block.deviceMinor == 300)
    }
  }

  @Test func `Names that are not UTF-8 survive`() throws {
    try withTemporaryDirectory { directory in
      let name: [UInt8] = [0x61, 0xff, 0xfe, 0x0a]
      let path = FilePath(directory.bytes + [0x2f] + name)
      try path.write("x")
      #expect(try Syscall.directoryNames(directory) == [name])
      #expect(path.bytes.suffix(4) == name[...])
    }
  }

  @Test func `Long link targets are read whole`() throws {
    try withTemporaryDirectory { directory in
      let target = String(repeating: "x/", count: 1500)
      try Syscall.symlink(target: target, at: directory.appending("l"))
      #expect(try Syscall.readlink(directory.appending("l")) == Array(target.utf8))
    }
  }

  @Test func `Attributes are set, listed and read`() throws {
    try withTemporaryDirectory { directory in
      let file = directory.appending("f")
      try file.write("")
      let long = [UInt8](repeating: 0x41, count: 2000)
      try Syscall.lsetxattr(file, "user.long", long)
      try Syscall.lsetxattr(file, "user.empty", [])
      #expect(try Syscall.lgetxattr(file, "user.long") == long)
      #expect(try Syscall.lgetxattr(file, "user.empty") == [])
      #expect(try Syscall.lgetxattr(file, "user.none") == nil)
      let handle = try Syscall.open(directory, [.path, .directory])
      #expect(try Syscall.getxattrat(handle.rawValue, "f", "user.long") == long)
      let names = try Syscall.listxattrat(handle.rawValue, "f").map { String(decoding: $0, as: UTF8.self) }.sorted()
      #expect(names == ["user.empty", "user.long"])
      #expect(try Syscall.llistxattr(file).count == 2)
      #expect(throws: Errno.fileExists) { try Syscall.lsetxattr(file, "user.empty", [], mode: .create) }
    }
  }

  @Test func `Rename without replacement refuses an existing name`() throws {
    try withTemporaryDirectory { directory in
      try directory.appending("a").write("a")
      try directory.appending("b").write("b")
      #expect(throws: Errno.fileExists) {
        try Syscall.rename(directory.appending("a"), directory.appending("b"), flags: .noReplace)
      }
      try Syscall.rename(directory.appending("a"), directory.appending("b"), flags: .exchange)
      #expect(try directory.appending("a").readText() == "b")
    }
  }

  @Test func `Large content is read and copied whole`() throws {
    try withTemporaryDirectory { directory in
      var generator = SeededGenerator(seed: 1)
      let bytes = generator.bytes(300_000)
      try directory.appending("a").write(bytes)
      #expect(try directory.appending("a").readBytes() == bytes)
      let source = try Syscall.open(directory.appending("a"), .readOnly)
      let destination = try Syscall.open(directory.appending("b"), [.writeOnly, .create], mode: 0o600)
      var done = 0
      while done < bytes.count {
        let count = try Syscall.copyFileRange(
          from: source.rawValue, at: Int64(done), to: destination.rawValue, at: Int64(done), count: bytes.count - done)
        if count == 0 { break }
        done += count
      }
      #expect(try directory.appending("b").readBytes() == bytes)
      // Files of /proc have size 0 and still content.
      #expect(try Syscall.readFile("/proc/self/status").count > 100)
    }
  }

  @Test func `Data and holes of a sparse file are found`() throws {
    try withTemporaryDirectory { directory in
      let file = try Syscall.open(directory.appending("s"), [.readWrite, .create], mode: 0o600)
      try Syscall.ftruncate(file.rawValue, size: 1 << 20)
      try [UInt8(1)].withUnsafeBytes { try Syscall.pwrite(file.rawValue, all: $0, at: 1 << 19) }
      let data = try Syscall.seek(file.rawValue, next: .data, from: 0)
      #expect(data == 1 << 19)
      #expect(try Syscall.seek(file.rawValue, next: .data, from: (1 << 19) + 65536) == nil)
    }
  }

  @Test func `Times before 1970 are set and read`() throws {
    try withTemporaryDirectory { directory in
      let file = directory.appending("f")
      try file.write("")
      let handle = try Syscall.open(directory, [.path, .directory])
      let early = FileTime(seconds: -5, nanoseconds: 250_000_000)
      try Syscall.utimensat(handle.rawValue, "f", access: nil, modification: early)
      #expect(try run("stat", "-c", "%Y", file.string).outputText == "-5\n")
      #expect(try Syscall.lstat(file).modificationTime == early)
    }
  }

  @Test func `The call openat2 keeps links inside the root`() throws {
    try withTemporaryDirectory { directory in
      try Syscall.symlink(target: "/../../etc", at: directory.appending("l"))
      try Syscall.mkdir(directory.appending("etc"), mode: 0o755)
      try directory.appending("etc/passwd").write("inside")
      let root = try Syscall.open(directory, [.path, .directory])
      let file = try Syscall.openat2(root.rawValue, "l/passwd", .readOnly, resolve: [.inRoot, .noMagicLinks])
      #expect(try Syscall.readAll(file.rawValue) == Array("inside".utf8))
    }
  }

  @Test func `A program's end and standard error are reported`() throws {
    let result = try Syscall.run("sh", ["-c", "echo oops >&2; exit 3"])
    #expect(result.status == .exited(3))
    #expect(result.status.description == "exit status 3")
    #expect(result.error == Array("oops\n".utf8))
    #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.run("/nonexistent/program", []) }
  }

  @Test func `A program runs in the given directory with the given input and environment`() throws {
    try withTemporaryDirectory { directory in
      try directory.appending("in").write("from input")
      let input = try Syscall.open(directory.appending("in"), .readOnly)
      let output = try Syscall.open(directory.appending("out"), [.readWrite, .create], mode: 0o600)
      let result = try Syscall.run(
        "/bin/sh", ["-c", "pwd; cat; echo \" $WORD\""], environment: ["WORD=w", "PATH=/usr/bin:/bin"],
        directory: directory, input: input.rawValue, output: output.rawValue)
      #expect(result.status.isSuccess)
      #expect(try directory.appending("out").readText() == "\(directory.string)\nfrom input w\n")
    }
  }

  @Test func `Error texts start in lower case`() {
    #expect(Errno.noSuchFileOrDirectory.referenceText == "no such file or directory")
    #expect(Errno.resourceBusy.referenceText == "device or resource busy")
    #expect(Errno.notPermitted.referenceText == "operation not permitted")
  }
}
