// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

#if STOWAGE_HOOKS
  @Suite("The hook of system calls") struct SystemHookTests {
    @Test func `An observer sees mutating calls and can make them fail`() throws {
      try withTemporaryDirectory { directory in
        let seen = Mutex<[String]>([])
        try SystemHook.$observer.withValue({ step in
          seen.withLock { $0.append(step.name) }
          return step.name == "rename" ? .noSpace : nil
        }) {
          try Syscall.mkdir(directory.appending("a"), mode: 0o755)
          _ = try Syscall.lstat(directory.appending("a"))
          #expect(throws: Errno.noSpace) { try Syscall.rename(directory.appending("a"), directory.appending("b")) }
        }
        #expect(seen.withLock { $0 } == ["mkdir", "rename"])
        #expect(directory.appending("a").exists)
      }
    }

    @Test func `Paths are steps of the store, names in directories steps of a layer`() throws {
      try withTemporaryDirectory { directory in
        let seen = Mutex<[String]>([])
        try SystemHook.$observer.withValue({ step in
          seen.withLock { $0.append("\(step.stepClass) \(step.name) \(step.path)") }
          return nil
        }) {
          let handle = try Syscall.open(directory, [.path, .directory])
          try Syscall.mkdir(directory.appending("a"), mode: 0o755)
          try Syscall.mkdirat(handle.rawValue, "b", mode: 0o755)
          _ = try Syscall.open(directory.appending("f"), [.writeOnly, .create], mode: 0o600)
          _ = try Syscall.openat(handle.rawValue, "f", [.writeOnly, .truncate])
          _ = try Syscall.openat(handle.rawValue, "f", .readOnly)
          try Syscall.renameat2(handle.rawValue, "f", handle.rawValue, "g")
          try Syscall.unlinkat(handle.rawValue, "g")
          try Syscall.rmdir(directory.appending("a"))
          try Syscall.lsetxattr(directory.appending("b"), "user.a", [])
        }
        let expected = [
          "store mkdir \(directory)/a", "layer mkdirat b", "store open \(directory)/f", "layer openat f",
          "layer renameat2 g", "layer unlinkat g", "store rmdir \(directory)/a", "store lsetxattr \(directory)/b",
        ]
        #expect(seen.withLock { $0 } == expected)
      }
    }

    @Test func `The environment makes one step fail, or all from one on`() async {
      await #expect(processExitsWith: .success) {
        setenv("STOWAGE_FAULT", "fail=2:ENOSPC:once", 1)
        try withTemporaryDirectory { directory in
          // The directory itself was the first step.
          #expect(throws: Errno.noSpace) { try Syscall.mkdir(directory.appending("a"), mode: 0o755) }
          try Syscall.mkdir(directory.appending("a"), mode: 0o755)
        }
      }
      await #expect(processExitsWith: .success) {
        setenv("STOWAGE_FAULT", "fail=1:5,layer", 1)
        for _ in 0..<3 {
          #expect(throws: Errno.ioError) { try Syscall.mkdirat(Syscall.workingDirectory, "/nonexistent", mode: 0o755) }
        }
      }
      await #expect(processExitsWith: .success) {
        setenv("STOWAGE_FAULT", "fail=1:EIO", 1)
        // Steps in layers do not count.
        #expect(throws: Errno.fileExists) { try Syscall.mkdirat(Syscall.workingDirectory, "/", mode: 0o755) }
      }
    }

    @Test func `The environment kills the process before a step`() async {
      await #expect(processExitsWith: .signal(SIGKILL)) {
        setenv("STOWAGE_FAULT", "kill=2", 1)
        #expect(throws: Errno.fileExists) { try Syscall.mkdir("/", mode: 0o755) }
        try Syscall.mkdir("/", mode: 0o755)
      }
    }

    @Test func `A plan that makes no sense is none`() async {
      await #expect(processExitsWith: .success) {
        setenv("STOWAGE_FAULT", "fail=1", 1)
        #expect(throws: Errno.fileExists) { try Syscall.mkdir("/", mode: 0o755) }
      }
      await #expect(processExitsWith: .success) {
        setenv("STOWAGE_FAULT", "fail=1:EUNKNOWN", 1)
        #expect(throws: Errno.fileExists) { try Syscall.mkdir("/", mode: 0o755) }
      }
    }
  }
#endif
