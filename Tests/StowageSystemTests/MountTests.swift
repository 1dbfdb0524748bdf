// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Mounts", .tags(.root), .serialized, .enabled(if: isRoot, "mounts need root"))
struct MountTests {
  @Test func `Mount points are recognised and listed by components, deepest first`() throws {
    try withTemporaryDirectory { directory in
      for name in ["a", "a/x", "ab"] { try Syscall.mkdir(directory.appending(name), mode: 0o755) }
      try Syscall.mount(source: "tmpfs", target: directory.appending("a"), type: "tmpfs")
      try Syscall.mkdir(directory.appending("a/x y"), mode: 0o755)
      try Syscall.mount(source: "tmpfs", target: directory.appending("a/x y"), type: "tmpfs", data: "size=64k")
      try Syscall.mount(source: "tmpfs", target: directory.appending("ab"), type: "tmpfs")
      #expect(MountTable.isMountPoint(directory.appending("a")))
      #expect(!MountTable.isMountPoint(directory))
      let found = MountTable.mounts(below: directory.appending("a"))
      #expect(found == [directory.appending("a/x y"), directory.appending("a")])
      for path in [directory.appending("ab")] + found { try Syscall.umount(path, flags: .detach) }
      #expect(MountTable.mounts(below: directory).isEmpty)
    }
  }

  @Test func `A bind mount of the same file system is a mount point`() throws {
    try withTemporaryDirectory { directory in
      for name in ["a", "b"] { try Syscall.mkdir(directory.appending(name), mode: 0o755) }
      let (source, target) = (directory.appending("a"), directory.appending("b"))
      try Syscall.mount(source: source.string, target: target, type: nil, flags: .bind)
      #expect(MountTable.isMountPoint(directory.appending("b")))
      try Syscall.umount(directory.appending("b"))
      #expect(!MountTable.isMountPoint(directory.appending("b")))
    }
  }

  @Test func `The new mount interface makes and attaches a file system`() throws {
    try withTemporaryDirectory { directory in
      let context = try Syscall.fsopen("tmpfs")
      try Syscall.fsconfig(context.rawValue, .string("size", "65536"))
      try Syscall.fsconfig(context.rawValue, .create)
      let mount = try Syscall.fsmount(context.rawValue, attributes: .readOnly)
      let target = directory.appending("m")
      try Syscall.mkdir(target, mode: 0o755)
      try Syscall.moveMount(mount.rawValue, to: target)
      #expect(try Syscall.statfs(target).magic == 0x0102_1994)
      #expect(throws: Errno.readOnlyFileSystem) { try Syscall.mkdir(target.appending("x"), mode: 0o755) }
      // The descriptor still holds the mount.
      try Syscall.umount(target, flags: .detach)
    }
  }

  @Test func `Root with all capabilities is not in a user namespace`() {
    #expect(hasCapability(21) && hasInitialUserMap() && !isInUserNamespace)
  }
}
