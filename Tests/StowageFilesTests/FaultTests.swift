// SPDX-License-Identifier: Apache-2.0
import StowageFiles
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

#if STOWAGE_HOOKS
  /// What the child process does: one atomic write, one staged directory with content, discarded.
  @Suite("Child process of the fault tests") struct FaultChild {
    @Test(.enabled(if: environmentValue("STOWAGE_FAULT_CHILD") != nil, "runs only as the child of FaultTests"))
    func `The child writes, stages and discards`() throws {
      let directory = FilePath(environmentValue("STOWAGE_FAULT_CHILD") ?? "")
      try AtomicFile.replace(directory.appending("f"), contents: Array("new".utf8), durability: .full)
      let staged = try StagedDirectory.create(in: directory.appending("tmp"))
      try Syscall.mkdir(staged.addition(), mode: 0o755)
      try staged.discard()
    }
  }

  @Suite("Fault injection") struct FaultTests {
    private func runChild(_ fault: String, _ directory: FilePath) throws -> ProcessResult {
      try run(
        [
          try Syscall.readlink("/proc/self/exe").withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) },
          "--testing-library", "swift-testing", "--filter", "FaultChild",
        ], adding: ["STOWAGE_FAULT": fault, "STOWAGE_FAULT_CHILD": directory.string])
    }

    private func steps(_ directory: FilePath) throws -> [String] {
      let list = directory.appending("steps")
      let result = try runChild("count=\(list.string)", directory)
      #expect(result.isSuccess, "\(result)")
      let lines = try list.readText().split(separator: "\n")
      try Syscall.unlink(list)
      return lines.map { String($0.split(separator: " ")[1]) }
    }

    @Test func `All steps of the store are counted in order`() throws {
      try withTemporaryDirectory { directory in
        let names = try steps(directory)
        #expect(
          names == [
            "open", "write", "fchmod", "fdatasync", "rename", "fsync", "mkdir", "open", "mkdir", "mkdir", "rmdir",
            "unlink",
          ])
      }
    }

    @Test func `A process killed at any step leaves old or new content, and recovery cleans up`() throws {
      try withTemporaryDirectory { directory in
        let count = try steps(directory).count
        #expect(count > 0)
        for number in 1...count {
          try directory.appending("f").write("old")
          let result = try runChild("kill=\(number)", directory)
          #expect(result.status == .signaled(9))
          let content = try directory.appending("f").readText()
          #expect(["old", "new"].contains(content))
          StagedDirectory.recover(root: directory.appending("tmp"))
          if directory.appending("tmp").exists { #expect(try directory.appending("tmp").names() == []) }
        }
      }
    }

    @Test func `A step fails with the wanted error number`() throws {
      try withTemporaryDirectory { directory in
        try directory.appending("f").write("old")
        let result = try runChild("fail=2:ENOSPC:once", directory)
        #expect(!result.isSuccess)
        #expect((result.outputText + result.errorText).contains("no space left on device"))
        #expect(try directory.appending("f").readText() == "old")
        #expect(try directory.names() == ["f"])
      }
    }
  }
#endif
