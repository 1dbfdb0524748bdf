// SPDX-License-Identifier: Apache-2.0
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
  }
#endif
