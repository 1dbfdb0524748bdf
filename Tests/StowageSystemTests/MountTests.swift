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

  @Test func `A wrong parameter of a file system is refused by the kernel`() throws {
    let context = try Syscall.fsopen("tmpfs")
    #expect(throws: Errno.invalidArgument) { try Syscall.fsconfig(context.rawValue, .string("size", "much")) }
    #expect(throws: Errno.invalidArgument) { try Syscall.fsconfig(context.rawValue, .flag("unknown")) }
    #expect(throws: Errno.operationNotSupportedByDevice) { _ = try Syscall.fsopen("stowage-no-such-type") }
  }

  @Test func `Options and attributes of a mount change afterwards`() throws {
    try withTemporaryDirectory { directory in
      func shown(_ column: String) throws -> String {
        String(try run("findmnt", "-no", column, "-M", directory.string).outputText.dropLast())
      }
      try Syscall.mount(
        source: "a source", target: directory, type: "tmpfs", flags: [.noSetID, .noDevices, .noExecute],
        data: "size=64k,mode=711")
      #expect(try shown("SOURCE") == "a source")
      #expect(try shown("VFS-OPTIONS") == "rw,nosuid,nodev,noexec,relatime")
      #expect(try shown("FS-OPTIONS").contains("size=64k"))
      #expect(try Syscall.lstat(directory).permissions == 0o711)
      try Syscall.mount(source: nil, target: directory, type: nil, flags: .private)
      #expect(try shown("PROPAGATION") == "private")
      try Syscall.mountSetattr(
        Syscall.workingDirectory, directory.string, set: [.readOnly], clear: [.noExecute], propagation: .shared)
      #expect(try shown("VFS-OPTIONS") == "ro,nosuid,nodev,relatime")
      #expect(try shown("PROPAGATION") == "shared")
      try Syscall.mount(
        source: nil, target: directory, type: nil, flags: [.remount, .bind, .noAccessTime, .noDirectoryAccessTime])
      #expect(try shown("VFS-OPTIONS") == "rw,noatime,nodiratime")
      try Syscall.umount(directory)
    }
  }

  @Test func `A mount that is used is busy, and is detached on demand`() throws {
    try withTemporaryDirectory { directory in
      try Syscall.mount(source: "tmpfs", target: directory, type: "tmpfs")
      try directory.appending("f").write("x")
      let file = try Syscall.open(directory.appending("f"), .readOnly)
      #expect(throws: Errno.resourceBusy) { try Syscall.umount(directory) }
      try Syscall.umount(directory, flags: .detach)
      #expect(try Syscall.readAll(file.rawValue) == [0x78])
      #expect(throws: Errno.invalidArgument) { try Syscall.umount(directory) }
      #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.umount(directory.appending("x")) }
    }
  }

  @Test func `A link to a mount point is followed unless that is forbidden`() throws {
    try withTemporaryDirectory { directory in
      try Syscall.mkdir(directory.appending("m"), mode: 0o755)
      try Syscall.symlink(target: "m", at: directory.appending("l"))
      try Syscall.mount(source: "tmpfs", target: directory.appending("m"), type: "tmpfs")
      #expect(throws: Errno.invalidArgument) { try Syscall.umount(directory.appending("l"), flags: .noFollow) }
      #expect(!MountTable.isMountPoint(directory.appending("l")))
      try Syscall.umount(directory.appending("l"))
    }
  }

  @Test func `A source without a name does not hide the options`() throws {
    try withTemporaryDirectory { directory in
      try Syscall.mount(source: "", target: directory, type: "tmpfs", data: "size=64k")
      let entry = try #require(try MountTable.entries().first { $0.mountPoint == directory })
      #expect(entry.source.isEmpty && entry.type == "tmpfs")
      #expect(entry.superOptions.contains("size=64k"))
      try Syscall.umount(directory)
    }
  }

  @Test func `Root with all capabilities is not in a user namespace`() {
    #expect(hasCapability(21) && hasInitialUserMap() && !isInUserNamespace)
  }
}
