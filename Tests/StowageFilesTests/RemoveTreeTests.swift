// SPDX-License-Identifier: Apache-2.0
import StowageFiles
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Removal of trees") struct RemoveTreeTests {
  @Test func `A missing path is success and links are not followed`() throws {
    try withTemporaryDirectory { directory in
      try removeTree(directory.appending("none"))
      try Syscall.mkdir(directory.appending("outside"), mode: 0o755)
      try directory.appending("outside/f").write("keep")
      try Syscall.mkdir(directory.appending("t"), mode: 0o755)
      try Syscall.symlink(target: "../outside", at: directory.appending("t/l"))
      try Syscall.symlink(target: "outside", at: directory.appending("top"))
      try removeTree(directory.appending("t"))
      try removeTree(directory.appending("top"))
      #expect(try directory.names() == ["outside"])
      #expect(directory.appending("outside/f").exists)
    }
  }

  @Test(.tags(.slow)) func `Sixty thousand entries go quickly`() throws {
    try withTemporaryDirectory { directory in
      let tree = directory.appending("t")
      #expect(
        try shell(
          "mkdir t; cd t; for d in 1 2 3 4 5 6; do mkdir -p $d; (cd $d; seq 10000 | xargs touch); done",
          directory: directory
        ).isSuccess)
      let time = try ContinuousClock().measure { try removeTree(tree) }
      #expect(!tree.exists)
      // The bound only excludes quadratic behaviour; machines that run tests are busy.
      #expect(time < .seconds(30))
    }
  }

  @Test(.tags(.slow)) func `A chain deeper than the limit of descriptors is removed`() throws {
    try withTemporaryDirectory { directory in
      let tree = directory.appending("t")
      try Syscall.mkdir(tree, mode: 0o755)
      var current = try Syscall.open(tree, [.readOnly, .directory])
      for _ in 0..<3000 {
        try Syscall.mkdirat(current.rawValue, "d", mode: 0o755)
        current = try Syscall.openat(current.rawValue, "d", [.readOnly, .directory])
      }
      try removeTree(tree)
      #expect(!tree.exists)
    }
  }

  @Test(.tags(.root), .enabled(if: isRoot, "mounts need root"))
  func `Mounts inside are detached and what is mounted keeps its content`() throws {
    try withTemporaryDirectory { directory in
      for name in ["outside", "t", "t/a", "t/a/m", "t/file", "tother"] {
        try Syscall.mkdir(directory.appending(name), mode: 0o755)
      }
      try directory.appending("outside/f").write("keep")
      try directory.appending("t/bound").write("")
      let bind: (String, String) throws -> Void = { source, target in
        try Syscall.mount(
          source: directory.appending(source).string, target: directory.appending(target), type: nil, flags: .bind)
      }
      try bind("outside", "t/a/m")
      try bind("outside", "t/a/m")
      try bind("outside/f", "t/bound")
      try bind("outside", "tother")
      try removeTree(directory.appending("t"))
      #expect(!directory.appending("t").exists)
      #expect(try directory.appending("outside/f").readText() == "keep")
      #expect(MountTable.isMountPoint(directory.appending("tother")))
      try removeTree(directory.appending("tother"))
      #expect(try directory.names() == ["outside"])
      #expect(try directory.appending("outside/f").readText() == "keep")
    }
  }

  @Test(.tags(.root), .enabled(if: isRoot, "the immutable attribute needs root"))
  func `An immutable file is reported by path`() throws {
    try withTemporaryDirectory { directory in
      try Syscall.mkdir(directory.appending("t"), mode: 0o755)
      let file = directory.appending("t/fixed")
      try file.write("")
      guard try run("chattr", "+i", file.string).isSuccess else { return }
      defer { _ = try? run("chattr", "-i", file.string) }
      let error = #expect(throws: StorageError.self) { try removeTree(directory.appending("t")) }
      #expect(error?.message == "unlinkat \(file.string): operation not permitted")
    }
  }
}
