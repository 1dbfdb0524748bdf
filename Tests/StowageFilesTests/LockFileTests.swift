// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageFiles
import StowageModel
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

/// Python's `lockf` takes the process-owned record locks that the reference takes.
private let hasPython = commandExists("python3")

@Suite("Lock files", .serialized) struct LockFileTests {
  @Test func `Opening creates the file and its directory`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("overlay-layers/layers.lock")
      let lock = try LockFile.open(path)
      #expect(try Syscall.lstat(path).size == 0)
      #expect(try Syscall.lstat(path.removingLastComponent()).permissions == 0o700)
      #expect(try lock.withRead { (access) throws(StorageError) in try access.lastWrite() } == LastWrite(bytes: []))
    }
  }

  @Test func `A recorded write is 64 bytes with time and process, and keeps a longer tail`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("l")
      try path.write([UInt8](repeating: 0x7a, count: 70))
      let lock = try LockFile.open(path)
      let first = try lock.withWrite { (access) throws(StorageError) in try access.recordWrite() }
      let second = try lock.withWrite { (access) throws(StorageError) in
        let before = try access.lastWrite()
        return (before, try access.recordWrite())
      }
      #expect(second.0 == first && second.1 != first)
      let bytes = try path.readBytes()
      #expect(bytes.count == 70 && bytes.suffix(6) == [UInt8](repeating: 0x7a, count: 6)[...])
      #expect(Array(bytes.prefix(64)) == second.1.bytes)
      let time = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let now = UInt64(FileTime.now().seconds)
      #expect((time / 1_000_000_000).distance(to: now).magnitude < 60)
      let pid = bytes[16..<20].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      #expect(try "\(pid)" == FilePath(Syscall.readlink("/proc/self")).string)
    }
  }

  @Test func `Readers share, a writer excludes, also through another path of the same file`() throws {
    try withTemporaryDirectory { directory in
      let lock = try LockFile.open(directory.appending("l"))
      try Syscall.symlink(target: ".", at: directory.appending("alias"))
      let other = try LockFile.open(directory.appending("alias/l"))
      do {
        let reader = try lock.acquire(.read)
        let second = try other.tryAcquire(.read)
        let shared = second != nil
        #expect(shared)
        let busy = try other.tryAcquire(.write) == nil
        #expect(busy)
        second?.release()
        reader.release()
      }
      let writer = try lock.acquire(.write)
      let refused = try other.tryAcquire(.read) == nil
      #expect(refused)
      let error = #expect(throws: StorageError.self) { _ = try other.acquire(.write, timeout: .milliseconds(50)) }
      #expect(error?.code == .busy)
      writer.release()
      let free = try other.tryAcquire(.write) != nil
      #expect(free)
    }
  }

  @Test func `A released lock is free, even if a process that is being started has a copy of the descriptor`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("l")
      let lock = try LockFile.open(path)
      let held = try lock.acquire(.write)
      let descriptors = try Syscall.directoryNames("/proc/self/fd").compactMap {
        CInt(String(decoding: $0, as: UTF8.self))
      }
      let own = try #require(
        descriptors.first {
          (try? Syscall.readlink(FilePath("/proc/self/fd/\($0)")))?.elementsEqual(path.string.utf8) == true
        })
      let copy = dup(own)
      defer { close(copy) }
      #expect(copy >= 0)
      held.release()
      let isFree = try lock.tryAcquire(.write) != nil
      #expect(isFree)
    }
  }

  @Test func `A handle that only reads creates nothing, and excludes one that writes in the same process`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("store/l")
      #expect(throws: StorageError.self) { try LockFile.open(path, readOnly: true) }
      #expect(!Syscall.exists(path.removingLastComponent()))
      #expect(try !LockFile.isPresent(path))
      let lock = try LockFile.open(path)
      let view = try LockFile.open(path, readOnly: true)
      let reading = try view.acquire(.read)
      let isShared = try lock.tryAcquire(.read) != nil
      #expect(isShared)
      let isBusy = try lock.tryAcquire(.write) == nil
      #expect(isBusy)
      reading.release()
      let writing = try lock.acquire(.write)
      let isExcluded = try view.tryAcquire(.read) == nil
      #expect(isExcluded)
      writing.release()
      #expect(throws: StorageError.self) { _ = try view.tryAcquire(.write) }
    }
  }

  @Test func `A deleted lock file whose handle lives on is not confused with a new file`() throws {
    try withTemporaryDirectory { directory in
      let old = try LockFile.open(directory.appending("old"))
      for index in 0..<50 {
        try? Syscall.unlink(directory.appending("old"))
        let lock = try LockFile.open(directory.appending("new\(index)"))
        #expect(lock.path == directory.appending("new\(index)"))
        try Syscall.unlink(lock.path)
      }
      _ = old.path
    }
  }

  @Test(.enabled(if: hasPython, "python3 takes the locks of other programs"))
  func `Process-owned record locks of other programs exclude ours`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("l")
      let lock = try LockFile.open(path)
      let script = """
        import fcntl, sys, time
        f = open(sys.argv[1], 'r+')
        fcntl.lockf(f, fcntl.LOCK_EX if sys.argv[2] == 'w' else fcntl.LOCK_SH)
        print('held', flush=True)
        time.sleep(60)
        """
      let holder = try start(["python3", "-c", script, path.string, "r"])
      defer { holder.signal(9) }
      #expect(try holder.waitForOutput("held"))
      let sharedRead = try lock.tryAcquire(.read) != nil
      #expect(sharedRead)
      let writeBusy = try lock.tryAcquire(.write) == nil
      #expect(writeBusy)
      #expect(LockHolder.all(of: path).map(\.pid) == [holder.pid])
      #expect(LockHolder.all(of: path).map(\.kind) == [.read])
      let error = #expect(throws: StorageError.self) { _ = try lock.acquire(.write, timeout: .milliseconds(50)) }
      #expect(error?.message.contains("still locked by process \(holder.pid) (python3)") == true)
      holder.signal(9)
      _ = try holder.wait()
      let free = try lock.tryAcquire(.write) != nil
      #expect(free)
    }
  }

  @Test(.enabled(if: hasPython, "python3 takes the locks of other programs"))
  func `Our locks exclude other programs and survive closing another descriptor`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("l")
      let script = """
        import fcntl, sys
        f = open(sys.argv[1], 'r+')
        try:
          fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
          print('free')
        except OSError:
          print('busy')
        """
      let lock = try LockFile.open(path)
      try lock.withWrite { (_) throws(StorageError) in
        let other = try? Syscall.open(path, .readWrite)
        try? other?.close()
        let text = try? run("python3", "-c", script, path.string).outputText
        #expect(text == "busy\n")
      }
      #expect(try run("python3", "-c", script, path.string).outputText == "free\n")
    }
  }

  @Test func `Writers of many threads exclude each other`() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.appending("l")
    let counter = directory.appending("n")
    try counter.write("0")
    let lock = try LockFile.open(path)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<50 {
            let held = try lock.acquire(.write)
            let value = Int(try counter.readText()) ?? -1000
            try counter.write("\(value + 1)")
            held.release()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try counter.readText() == "200")
  }

  @Test(.tags(.slow), .enabled(if: hasPython, "python3 takes the locks of other programs"))
  func `A long wait is told with the holder's process number`() throws {
    try withTemporaryDirectory { directory in
      let path = directory.appending("l")
      let lock = try LockFile.open(path)
      let script =
        "import fcntl,sys,time; f=open(sys.argv[1],'r+'); fcntl.lockf(f,fcntl.LOCK_EX); "
        + "print('held',flush=True); time.sleep(3)"
      let holder = try start(["python3", "-c", script, path.string])
      #expect(try holder.waitForOutput("held"))
      let notices = Mutex<[String]>([])
      LockFile.waitNotice.withLock { notice in
        notice = { file, holders in notices.withLock { $0.append("\(file) \(holders.map(\.pid))") } }
      }
      defer { LockFile.waitNotice.withLock { $0 = nil } }
      let held = try lock.acquire(.write)
      held.release()
      _ = try holder.wait()
      #expect(notices.withLock { $0 } == ["\(path) [\(holder.pid)]"])
    }
  }

  @Test func `Locks taken together back off instead of blocking each other`() async throws {
    let directory = try TemporaryDirectory()
    let (a, b) = (try LockFile.open(directory.appending("a")), try LockFile.open(directory.appending("b")))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for swapped in [false, true] {
        group.addTask {
          for _ in 0..<50 {
            var set = LockSet()
            try set.acquireTogether([
              .init(swapped ? b : a, .write, rank: .layers), .init(swapped ? a : b, .write, rank: .imageStoreLayers),
            ])
            let complete = set.holds(.layers) && set.holds(.imageStoreLayers)
            #expect(complete)
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
