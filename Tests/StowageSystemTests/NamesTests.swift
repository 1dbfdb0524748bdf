// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Expected errors: the manual pages of the calls.
@Suite("Making, linking, renaming and removing names") struct NamesTests {
  private func withDirectory(_ body: (FilePath, CInt) throws -> Void) throws {
    try withTemporaryDirectory { directory in
      let handle = try Syscall.open(directory, [.path, .directory])
      try body(directory, handle.rawValue)
    }
  }

  @Test func `Directories are made once, below what is there`() throws {
    try withDirectory { directory, handle in
      try Syscall.mkdirat(handle, "d", mode: 0o750)
      #expect(try Syscall.lstat(directory.appending("d")).permissions == 0o750)
      #expect(throws: Errno.fileExists) { try Syscall.mkdirat(handle, "d", mode: 0o755) }
      #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.mkdirat(handle, "x/y", mode: 0o755) }
      try directory.appending("f").write("")
      #expect(throws: Errno.notDirectory) { try Syscall.mkdir(directory.appending("f/d"), mode: 0o755) }
      #expect(throws: Errno.fileNameTooLong) {
        try Syscall.mkdir(directory.appending(String(repeating: "n", count: 256)), mode: 0o755)
      }
      try Syscall.mkdir(directory.appending(String(repeating: "n", count: 255)), mode: 0o755)
    }
  }

  @Test func `Files and directories are removed by calls of their own`() throws {
    try withDirectory { directory, handle in
      try Syscall.mkdir(directory.appending("d"), mode: 0o755)
      try directory.appending("d/f").write("")
      #expect(throws: Errno.isDirectory) { try Syscall.unlink(directory.appending("d")) }
      #expect(throws: Errno.directoryNotEmpty) { try Syscall.rmdir(directory.appending("d")) }
      #expect(throws: Errno.notDirectory) { try Syscall.rmdir(directory.appending("d/f")) }
      #expect(throws: Errno.notDirectory) { try Syscall.unlinkat(handle, "d/f", flags: .removeDirectory) }
      try Syscall.unlinkat(handle, "d/f")
      #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.unlinkat(handle, "d/f") }
      try Syscall.unlinkat(handle, "d", flags: .removeDirectory)
      #expect(try directory.names().isEmpty)
    }
  }

  @Test(arguments: [1, 255, 256, 257, 1023, 1024, 1025, 4094, 4095])
  func `Targets of links of every length are read whole`(length: Int) throws {
    try withDirectory { directory, handle in
      let target = String(String(repeating: "t/", count: length).prefix(length))
      try Syscall.symlinkat(target: target, handle, "l")
      #expect(try Syscall.readlinkat(handle, "l") == Array(target.utf8))
      #expect(try run("readlink", "-n", directory.appending("l").string).output == Array(target.utf8))
    }
  }

  @Test func `Only links have a target, and it is neither empty nor too long`() throws {
    try withDirectory { directory, handle in
      try directory.appending("f").write("")
      #expect(throws: Errno.invalidArgument) { try Syscall.readlink(directory.appending("f")) }
      #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.readlink(directory.appending("x")) }
      #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.symlink(target: "", at: directory.appending("l")) }
      #expect(throws: Errno.fileExists) { try Syscall.symlink(target: "x", at: directory.appending("f")) }
      let long = String(repeating: "t", count: 4096)
      #expect(throws: Errno.fileNameTooLong) { try Syscall.symlinkat(target: long, handle, "l") }
    }
  }

  @Test func `A hard link is made of the link itself or of its target`() throws {
    try withDirectory { directory, handle in
      try directory.appending("f").write("x")
      try Syscall.symlink(target: "f", at: directory.appending("l"))
      try Syscall.linkat(handle, "l", handle, "of-link")
      try Syscall.linkat(handle, "l", handle, "of-target", flags: .follow)
      #expect(try Syscall.lstat(directory.appending("of-link")).kind == .symbolicLink)
      #expect(try Syscall.lstat(directory.appending("of-target")).kind == .regular)
      #expect(throws: Errno.fileExists) { try Syscall.link(directory.appending("f"), directory.appending("l")) }
      #expect(throws: Errno.improperLink) { try Syscall.link(directory.appending("f"), "/dev/shm/stowage-x") }
      #expect(throws: Errno.notPermitted) { try Syscall.link(directory, directory.appending("d")) }
    }
  }

  @Test func `Renaming replaces, refuses or exchanges`() throws {
    try withDirectory { directory, handle in
      for name in ["a", "b", "c"] { try directory.appending(name).write(name) }
      try Syscall.mkdir(directory.appending("full"), mode: 0o755)
      try directory.appending("full/x").write("")
      try Syscall.mkdir(directory.appending("empty"), mode: 0o755)
      try Syscall.renameat2(handle, "a", handle, "b")
      #expect(try directory.appending("b").readText() == "a")
      #expect(throws: Errno.fileExists) { try Syscall.renameat2(handle, "b", handle, "c", flags: .noReplace) }
      try Syscall.renameat2(handle, "b", handle, "new", flags: .noReplace)
      try Syscall.renameat2(handle, "new", handle, "full", flags: .exchange)
      #expect(try directory.appending("full").readText() == "a")
      #expect(throws: Errno.noSuchFileOrDirectory) {
        try Syscall.renameat2(handle, "c", handle, "missing", flags: .exchange)
      }
      #expect(throws: Errno.directoryNotEmpty) {
        try Syscall.rename(directory.appending("empty"), directory.appending("new"))
      }
      #expect(throws: Errno.isDirectory) { try Syscall.rename(directory.appending("c"), directory.appending("new")) }
      #expect(throws: Errno.notDirectory) { try Syscall.rename(directory.appending("empty"), directory.appending("c")) }
      #expect(throws: Errno.improperLink) { try Syscall.rename(directory.appending("c"), "/dev/shm/stowage-x") }
      #expect(throws: Errno.invalidArgument) {
        try Syscall.rename(directory.appending("new"), directory.appending("new/y"))
      }
    }
  }

  @Test(.tags(.root), .enabled(if: isRoot, "whiteouts are devices"))
  func `Renaming can leave a whiteout, a device with the numbers 0 and 0`() throws {
    try withDirectory { directory, handle in
      try directory.appending("a").write("x")
      try Syscall.renameat2(handle, "a", handle, "b", flags: .whiteout)
      let status = try run("stat", "-c", "%F %t %T", directory.appending("a").string)
      #expect(status.outputText == "character special file 0 0\n")
      #expect(try directory.appending("b").readText() == "x")
    }
  }

  @Test func `FIFOs, sockets and plain files are made by mknod without rights`() throws {
    try withDirectory { directory, handle in
      try Syscall.mknodat(handle, "p", mode: 0o010640, device: 0)
      try Syscall.mknodat(handle, "s", mode: 0o140600, device: 0)
      try Syscall.mknod(directory.appending("f"), mode: 0o100600, device: 0)
      let kinds = try ["p", "s", "f"].map { try Syscall.lstat(directory.appending($0)).kind }
      #expect(kinds == [.fifo, .socket, .regular])
      #expect(throws: Errno.fileExists) { try Syscall.mknodat(handle, "p", mode: 0o010640, device: 0) }
      #expect(throws: Errno.invalidArgument) { try Syscall.mknodat(handle, "x", mode: 0o150000, device: 0) }
    }
  }
}
