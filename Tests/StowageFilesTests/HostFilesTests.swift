// SPDX-License-Identifier: Apache-2.0
import StowageFiles
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Single files") struct HostFilesTests {
  @Test func `What cannot be looked at is not absent`() throws {
    try withTemporaryDirectory { root in
      try Syscall.symlink(target: "loop", at: root.appending("loop"))
      try root.appending("file").write("")
      #expect(try !HostFiles.exists(root.appending("nothing")))
      #expect(try !HostFiles.exists(root.appending("file/below")))
      #expect(try HostFiles.exists(root.appending("loop"), followingLinks: false))
      #expect(throws: StorageError.self) { try HostFiles.exists(root.appending("loop")) }
      #expect(throws: StorageError.self) { try HostFiles.isDirectory(root.appending("loop/d")) }
      #expect(throws: StorageError.self) {
        try HostFiles.exists(root.appending(String(repeating: "x", count: 300)))
      }
    }
  }
}
