// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Locks against those of another program, Python's `fcntl`, which are the classic ones of a process.
@Suite("Record locks") struct LocksTests {
  private func withFile(_ body: (FilePath) throws -> Void) throws {
    try withTemporaryDirectory { directory in
      try directory.appending("lock").write("")
      try body(directory.appending("lock"))
    }
  }

  /// Whether another process could take the lock now.
  private func isFree(_ path: FilePath, for operation: String) throws -> Bool {
    try run("python3", "-c", "import fcntl; fcntl.lockf(open('\(path)', 'r+'), fcntl.\(operation) | fcntl.LOCK_NB)")
      .isSuccess
  }

  @Test func `A writer excludes everybody, readers only writers`() throws {
    try withFile { path in
      let first = try Syscall.open(path, .readWrite)
      let second = try Syscall.open(path, .readWrite)
      #expect(try Syscall.setlk(first.rawValue, .write))
      #expect(try !Syscall.setlk(second.rawValue, .read))
      #expect(try !isFree(path, for: "LOCK_SH"))
      try Syscall.unlock(first.rawValue)
      #expect(try isFree(path, for: "LOCK_EX"))
      #expect(try Syscall.setlk(first.rawValue, .read))
      #expect(try Syscall.setlk(second.rawValue, .read))
      #expect(try isFree(path, for: "LOCK_SH"))
      #expect(try !isFree(path, for: "LOCK_EX"))
      #expect(try !Syscall.setlk(second.rawValue, .write))
    }
  }

  @Test func `A lock goes from reading to writing and back if nobody else reads`() throws {
    try withFile { path in
      let file = try Syscall.open(path, .readWrite)
      #expect(try Syscall.setlk(file.rawValue, .read))
      #expect(try Syscall.setlk(file.rawValue, .write))
      #expect(try !isFree(path, for: "LOCK_SH"))
      #expect(try Syscall.setlk(file.rawValue, .read))
      #expect(try isFree(path, for: "LOCK_SH"))
    }
  }

  @Test func `A lock belongs to the open file: copies share it, and the last one releases it`() throws {
    try withFile { path in
      let file = try Syscall.open(path, .readWrite)
      let copy = try file.duplicate()
      #expect(try Syscall.setlk(file.rawValue, .write))
      #expect(try Syscall.setlk(copy.rawValue, .write))
      // Unlike a lock of the process, it survives that the file is opened and closed once more.
      _ = try Syscall.readFile(path)
      #expect(try !isFree(path, for: "LOCK_SH"))
      try file.close()
      #expect(try !isFree(path, for: "LOCK_SH"))
      try copy.close()
      #expect(try isFree(path, for: "LOCK_EX"))
    }
  }

  @Test func `A wait ends when the other program lets go`() throws {
    try withFile { path in
      let script = """
        import fcntl, sys, time
        file = open(sys.argv[1], 'r+'); fcntl.lockf(file, fcntl.LOCK_EX); print('held', flush=True)
        time.sleep(0.2); file.write('done'); file.flush()
        """
      let holder = try start(["python3", "-c", script, path.string])
      try #require(try holder.waitForOutput("held"))
      let file = try Syscall.open(path, .readWrite)
      #expect(try !Syscall.setlk(file.rawValue, .read))
      try Syscall.setlkw(file.rawValue, .read)
      #expect(try path.readText() == "done")
      #expect(try holder.wait().isSuccess)
    }
  }

  @Test func `A descriptor without the right of access takes no lock`() throws {
    try withFile { path in
      let reading = try Syscall.open(path, .readOnly)
      let writing = try Syscall.open(path, .writeOnly)
      #expect(throws: Errno.badFileDescriptor) { try Syscall.setlk(reading.rawValue, .write) }
      #expect(throws: Errno.badFileDescriptor) { try Syscall.setlkw(writing.rawValue, .read) }
      #expect(try Syscall.setlk(reading.rawValue, .read))
    }
  }
}
