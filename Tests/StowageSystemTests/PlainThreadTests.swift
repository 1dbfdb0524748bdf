// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageSystem
import Synchronization
import SystemPackage
import Testing

@Suite("Plain threads") struct PlainThreadTests {
  private final class Count: Sendable {
    let value = Atomic(0)
    func add() { value.add(1, ordering: .relaxed) }
    var now: Int { value.load(ordering: .relaxed) }
  }

  @Test func `What a thread did can be seen after it was joined`() throws {
    let count = Count()
    let thread = try PlainThread {
      usleep(1000)
      count.add()
    }
    thread.join()
    #expect(count.now == 1)
  }

  @Test func `All threads of a group have ended when the call returns`() {
    let count = Count()
    PlainThread.runTogether(4) {
      usleep(1000)
      count.add()
    }
    #expect(count.now == 4)
    PlainThread.runTogether(0) { count.add() }
    #expect(count.now == 5)
  }

  @Test func `Isolated work changes its own working directory only, and its error comes back`() throws {
    let before = try Syscall.readlink("/proc/self/cwd")
    try PlainThread.runIsolated { () throws(Errno) in
      try Syscall.unshare(.fileSystemContext)
      guard chdir("/proc") == 0 else { throw .notDirectory }
    }
    #expect(try Syscall.readlink("/proc/self/cwd") == before)
    #expect(throws: Errno.deadlock) { try PlainThread.runIsolated { () throws(Errno) in throw .deadlock } }
  }
}
