// SPDX-License-Identifier: Apache-2.0
import StowageFiles
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Staged directories") struct StagedDirectoryTests {
  @Test func `The layout on disk is that of the reference`() throws {
    try withTemporaryDirectory { directory in
      let root = directory.appending("tempdirs")
      let staged = try StagedDirectory.create(in: root)
      let names = try root.names()
      #expect(names.count == 2 && names[0].hasPrefix("lock-") && names[1].hasPrefix("temp-dir-"))
      #expect(names[0].dropFirst(5) == names[1].dropFirst(9))
      #expect(names[0].dropFirst(5).allSatisfy { $0.isNumber })
      #expect(try Syscall.lstat(root).permissions == 0o700)
      #expect(try Syscall.lstat(root.appending(names[0])).permissions == 0o600)
      #expect(try Syscall.lstat(root.appending(names[1])).permissions == 0o700)
      #expect(staged.path == root.appending(names[1]))
      try directory.appending("old").write("")
      #expect(staged.addition() == staged.path.appending("0-addition"))
      #expect(try staged.stageForRemoval(directory.appending("old")))
      #expect(try !staged.stageForRemoval(directory.appending("none")))
      #expect(try staged.path.names() == ["1-old"])
      try staged.discard()
      #expect(try root.names() == [])
    }
  }

  @Test func `A transient root goes with the last directory in it, and with what is stale`() throws {
    try withTemporaryDirectory { directory in
      let root = directory.appending("mounts")
      let one = try StagedDirectory.create(in: root, isTransient: true)
      let two = try StagedDirectory.create(in: root, isTransient: true)
      try one.discard()
      #expect(root.exists)
      try two.discard()
      #expect(!root.exists)
      for _ in 0..<2 { #expect(StagedDirectory.recover(root: root, isTransient: true).isEmpty) }
      try Syscall.mkdir(root, mode: 0o700)
      try root.appending("lock-11").write("")
      #expect(StagedDirectory.recover(root: root, isTransient: true).isEmpty && !root.exists)
    }
  }

  @Test func `Recovery removes what is stale and leaves what is in use or foreign`() throws {
    try withTemporaryDirectory { root in
      let live = try StagedDirectory.create(in: root)
      let liveName = live.path.lastComponent?.string ?? ""
      for name in ["temp-dir-11", "temp-dir-11/0-addition", "temp-dir-x", "other"] {
        try Syscall.mkdir(root.appending(name), mode: 0o700)
      }
      for name in ["lock-11", "lock-22", "lock-y"] { try root.appending(name).write("") }
      try Syscall.mkdir(root.appending("temp-dir-33"), mode: 0o700)
      #expect(StagedDirectory.recover(root: root).isEmpty)
      let lock = liveName.replacing("temp-dir-", with: "lock-")
      #expect(try root.names() == [lock, "lock-y", "other", liveName, "temp-dir-x"].sorted())
      try live.discard()
    }
  }

  @Test(.enabled(if: commandExists("python3"), "python3 takes the locks of other programs"))
  func `A directory whose lock another program holds is skipped`() throws {
    try withTemporaryDirectory { root in
      try Syscall.mkdir(root.appending("temp-dir-5"), mode: 0o700)
      try root.appending("lock-5").write("")
      let script =
        "import fcntl,sys,time; f=open(sys.argv[1],'r+'); fcntl.lockf(f,fcntl.LOCK_EX); "
        + "print('held',flush=True); time.sleep(60)"
      let holder = try start(["python3", "-c", script, root.appending("lock-5").string])
      defer { holder.signal(9) }
      #expect(try holder.waitForOutput("held"))
      #expect(StagedDirectory.recover(root: root).isEmpty)
      #expect(try root.names() == ["lock-5", "temp-dir-5"])
      holder.signal(9)
      _ = try holder.wait()
      StagedDirectory.recover(root: root)
      #expect(try root.names() == [])
    }
  }

  @Test(.tags(.root), .enabled(if: isRoot, "mounts need root"))
  func `Recovery detaches a mount inside`() throws {
    try withTemporaryDirectory { root in
      for name in ["temp-dir-5", "temp-dir-5/merged"] { try Syscall.mkdir(root.appending(name), mode: 0o700) }
      try Syscall.mount(source: "tmpfs", target: root.appending("temp-dir-5/merged"), type: "tmpfs")
      try root.appending("temp-dir-5/merged/f").write("")
      #expect(StagedDirectory.recover(root: root).isEmpty)
      #expect(try root.names() == [])
    }
  }

  @Test(.tags(.root), .enabled(if: isRoot, "the immutable attribute needs root"))
  func `What cannot be removed is reported and does not stop the rest`() throws {
    try withTemporaryDirectory { root in
      for name in ["temp-dir-1", "temp-dir-2"] { try Syscall.mkdir(root.appending(name), mode: 0o700) }
      let file = root.appending("temp-dir-1/fixed")
      try file.write("")
      guard try run("chattr", "+i", file.string).isSuccess else { return }
      defer { _ = try? run("chattr", "-i", file.string) }
      let failures = StagedDirectory.recover(root: root)
      #expect(failures.map(\.message) == ["unlinkat \(file.string): operation not permitted"])
      #expect(try root.names() == ["lock-1", "temp-dir-1"])
    }
  }

  @Test func `Deferred removal moves at once and deletes at the end`() throws {
    try withTemporaryDirectory { directory in
      let (layers, home) = (directory.appending("layers"), directory.appending("overlay"))
      for path in [layers, home] { try makeDirectories(path.appending("abc/diff"), mode: 0o755) }
      var removal = DeferredRemoval()
      #expect(try removal.add(home.appending("abc"), bin: home.appending("tempdirs")))
      #expect(try removal.add(layers.appending("abc"), bin: layers.appending("tmp")))
      #expect(try !removal.add(home.appending("none"), bin: directory.appending("unused")))
      #expect(!home.appending("abc").exists && !layers.appending("abc").exists)
      #expect(!directory.appending("unused").exists)
      try removal.empty()
      #expect(try home.appending("tempdirs").names() == [])
      #expect(try layers.names() == ["tmp"])
    }
  }

  @Test func `A forgotten staged directory removes itself`() throws {
    try withTemporaryDirectory { root in
      do {
        let staged = try StagedDirectory.create(in: root)
        try Syscall.mkdir(staged.addition(), mode: 0o755)
      }
      #expect(try root.names() == [])
    }
  }
}
