// SPDX-License-Identifier: Apache-2.0
import StowageTestSupport
import SystemPackage
import Testing

@testable import StowageSystem

/// Expected values: `proc_pid_mountinfo(5)`, and `findmnt` for the mounts that are there.
@Suite("The table of mounts") struct MountTableTests {
  private func parse(_ line: String) -> MountTable.Entry? { MountTable.parse(Array(line.utf8)[...]) }

  @Test func `The example of the manual page is read`() throws {
    let entry = try #require(
      parse("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"))
    #expect(
      entry
        == MountTable.Entry(
          id: 36, parentID: 35, device: "98:0", root: "/mnt1", mountPoint: "/mnt2", options: "rw,noatime",
          propagation: ["master:1"], type: "ext3", source: "/dev/root", superOptions: "rw,errors=continue"))
  }

  @Test func `There may be no optional field, or several`() throws {
    #expect(try #require(parse("1 0 0:1 / / rw - rootfs none rw")).propagation.isEmpty)
    let several = try #require(parse("1 0 0:1 / / rw shared:1 master:2 propagate_from:3 unbindable - rootfs none rw"))
    #expect(several.propagation == ["shared:1", "master:2", "propagate_from:3", "unbindable"])
    #expect(several.type == "rootfs")
  }

  @Test func `Spaces, tabs, line feeds and backslashes are octal numbers`() throws {
    let entry = try #require(
      parse(#"1 0 0:1 /a\040b /c\011d\012e\134f rw - fuse.x source\040two rw,x=\054\040y"#))
    #expect(entry.root == "/a b")
    #expect(entry.mountPoint == "/c\td\ne\\f")
    #expect(entry.source == "source two")
    #expect(entry.superOptions == "rw,x=, y")
  }

  @Test func `What only looks like a number stays as it is`() throws {
    let entry = try #require(parse(#"1 0 0:1 / /\04\8a0\400\+12\377\ rw - t s o"#))
    // \400 is more than a byte, \377 is the largest one.
    #expect(entry.mountPoint.bytes == Array(#"/\04\8a0\400\+12"#.utf8) + [0xff] + Array(#"\"#.utf8))
  }

  @Test func `A source without a name is empty, and takes no other field's place`() throws {
    let entry = try #require(parse("1 0 0:1 / /m rw - tmpfs  rw,size=64k"))
    #expect(entry.source.isEmpty)
    #expect(entry.superOptions == "rw,size=64k")
  }

  @Test(arguments: [
    "", " ", "-", "1 0 0:1 / /m rw", "1 0 0:1 / /m rw -", "1 0 0:1 / /m rw - tmpfs", "1 0 0:1 / /m - tmpfs none rw",
    "x 0 0:1 / /m rw - tmpfs none rw", "1 x 0:1 / /m rw - tmpfs none rw", "1 0 0:1 / /m rw shared:1 tmpfs none rw",
    "-1 0 0:1 / /m rw - tmpfs none rw", "99999999999999999999 0 0:1 / /m rw - tmpfs none rw",
  ])
  func `A line that is cut off or makes no sense is left out`(_ line: String) { #expect(parse(line) == nil) }

  @Test func `Random damage of lines does not trap`() {
    var random = SeededGenerator(seed: 11)
    let line = Array(#"36 35 98:0 /a\040b /mnt2 rw,noatime master:1 - ext3 /dev/root rw"#.utf8)
    for _ in 0..<20_000 {
      var damaged = line
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let position = Int.random(in: 0..<damaged.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: damaged[position] = .random(in: .min ... .max, using: &random)
        case 1: damaged.remove(at: position)
        default: damaged.insert([0x20, 0x5c, 0x2d, 0x30].randomElement(using: &random) ?? 0, at: position)
        }
      }
      // What is read is never more than what is there.
      if let entry = MountTable.parse(damaged[...]) { #expect(entry.mountPoint.bytes.count < damaged.count) }
    }
  }

  @Test func `The table is that of findmnt`() throws {
    let columns = ["-o", "ID,PARENT,MAJ:MIN,TARGET,FSTYPE"]
    // Others mount and unmount meanwhile: only what always is there is compared.
    let shown = try run(["findmnt", "-rn", "--kernel"] + columns)
    try #require(shown.isSuccess)
    let theirs = Set(shown.outputText.split(separator: "\n").map(String.init))
    let ours = try MountTable.entries().map { "\($0.id) \($0.parentID) \($0.device) \($0.mountPoint) \($0.type)" }
    for path in ["/proc", "/dev/shm"] {
      let line = try #require(ours.first { $0.contains(" \(path) ") })
      #expect(theirs.contains(line))
    }
  }

  @Test func `A path of bytes ends at a NUL and comes back as it was`() {
    #expect(FilePath([0x2f, 0x61, 0xff, 0x00, 0x62]).bytes == [0x2f, 0x61, 0xff])
    #expect(FilePath([UInt8]()).bytes.isEmpty)
    #expect(FilePath([0x2f, 0x80, 0x0a]).bytes == [0x2f, 0x80, 0x0a])
  }

  @Test func `A path that cannot be examined is no mount point`() {
    #expect(!MountTable.isMountPoint("/nonexistent"))
    #expect(!MountTable.isMountPoint("/dev/null/x"))
    #expect(MountTable.isMountPoint("/proc"))
    #expect(!MountTable.isMountPoint("/proc/self"))
    #expect(MountTable.mounts(below: "/nonexistent").isEmpty)
  }

  @Test(.tags(.root), .enabled(if: isRoot, "mounting needs root"))
  func `A bind of a directory onto itself is told from what else is mounted there`() throws {
    try withTemporaryDirectory { directory in
      for name in ["own", "plain", "other", "below", "foreign", "source", "source/inner"] {
        try Syscall.mkdir(directory.appending(name), mode: 0o700)
      }
      func bind(_ source: String, _ target: String) throws {
        try Syscall.mount(
          source: directory.appending(source).string, target: directory.appending(target), type: "none", flags: .bind)
      }
      try bind("own", "own")
      try bind("source", "other")
      try bind("source/inner", "below")
      _ = try run("mount", "-t", "tmpfs", "none", directory.appending("foreign").string)
      try Syscall.symlink(target: "own", at: directory.appending("link"))
      let own = try MountTable.bindOntoItself(directory.appending("own"))
      #expect(own?.mountPoint == directory.appending("own"))
      #expect(try MountTable.bindOntoItself(directory.appending("link")) == own)
      for name in ["plain", "other", "below", "foreign"] {
        #expect(try MountTable.bindOntoItself(directory.appending(name)) == nil, "\(name)")
      }
      try bind("foreign", "foreign")
      #expect(try MountTable.bindOntoItself(directory.appending("foreign"))?.type == "tmpfs")
    }
  }
}
