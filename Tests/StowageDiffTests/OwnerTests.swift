// SPDX-License-Identifier: Apache-2.0

import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Changes of owners", .tags(.root), .enabled(if: isRoot, "owners, devices, mounts"))
struct OwnerTests {
  private static let format = "%P|%y|%m|%U:%G|%T@|%s|%l|%n"
  /// IDs 0 to 99 of the container.
  private static let maps = IDMaps(
    uids: [IDMapping(containerID: 0, hostID: 100000, size: 100)],
    gids: [
      IDMapping(containerID: 0, hostID: 200000, size: 10), IDMapping(containerID: 10, hostID: 300000, size: 90),
    ])

  @Test func `IDs go through the container's, unmapped ones overflow, and those of the old maps must exist`() throws {
    let shift = try OwnerShift(from: IDMaps(), to: Self.maps)
    #expect(try shift.owner(uid: 0, gid: 0) == ApplyOptions.Owner(uid: 100000, gid: 200000))
    #expect(try shift.owner(uid: 7, gid: 12) == ApplyOptions.Owner(uid: 100007, gid: 300002))
    #expect(try shift.owner(uid: 100, gid: 4_294_967_294) == ApplyOptions.Owner(uid: 65534, gid: 65534))
    // What equals the host ID of the container's root is taken for mapped.
    #expect(try shift.owner(uid: 100000, gid: 200000) == ApplyOptions.Owner(uid: 100000, gid: 200000))
    let back = try OwnerShift(from: Self.maps, to: IDMaps())
    #expect(try back.owner(uid: 100007, gid: 300002) == ApplyOptions.Owner(uid: 7, gid: 12))
    #expect(try back.owner(uid: 0, gid: 0) == ApplyOptions.Owner(uid: 0, gid: 0))
    #expect(throws: IDMapError.host(5)) { try back.owner(uid: 5, gid: 0) }
    #expect(throws: StorageError.self) {
      try OwnerShift(from: IDMaps(), to: IDMaps(uids: [IDMapping(containerID: 1, hostID: 1, size: 5)]))
    }
    // 4294967295 would tell the kernel to leave the owner alone.
    let last = IDMaps(uids: [
      IDMapping(containerID: 0, hostID: 1000, size: 1), IDMapping(containerID: 1, hostID: 4_294_967_295, size: 1),
    ])
    #expect(try OwnerShift(from: IDMaps(), to: last).owner(uid: 1, gid: 3) == ApplyOptions.Owner(uid: 65534, gid: 3))
  }

  /// A tree with everything that a change of owner could damage.
  private func makeTree(_ root: FilePath) throws {
    let made = try shell(
      """
      mkdir -p a/d/e && cd a && echo text > d/f && ln d/f g && ln d/f d/e/h && ln -s /etc l && ln l m && mkfifo p && chown 7:8 p &&
      mknod c c 300 70000 && mknod b b 7 9 && chown 9:99 d && echo x > own && chown 50:60 own && chmod 2755 own && echo y > cap &&
      setfattr -n security.capability -v 0x0100000200000000000000000000000000000000 cap && setfattr -n user.x -v y d/f d &&
      chmod 6755 d/f && chmod 1777 d && chown -h 5:15 l && : > high && chown 1234:5 high && mkdir many &&
      for i in $(seq 600); do : > many/$i; done && printf odd > "$(printf '\\377')" && chown 7:8 . && chmod 711 . &&
      find . -depth -exec touch -h -d '2001-02-03 04:05:06.789' {} +
      """, directory: root)
    #expect(made.isSuccess, "\(made.errorText)")
  }

  /// What `find` shows of the tree with the IDs as the maps have them, worked out by hand.
  private func mapped(_ lines: [String]) -> [String] {
    lines.map { line in
      var fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      let ids = fields[3].split(separator: ":").compactMap { Int($0) }
      let uid = ids[0] < 100 ? 100000 + ids[0] : 65534
      let gid = ids[1] < 10 ? 200000 + ids[1] : ids[1] < 100 ? 299990 + ids[1] : 65534
      fields[3] = "\(uid):\(gid)"
      return fields.joined(separator: "|")
    }
  }

  /// Attributes as they are once the container's root is 100000: revision 3 of a capability names it (changes-1.65 2).
  private func mappedCapabilities(_ text: String) -> String {
    text.replacing(
      "security.capability=0x0100000200000000000000000000000000000000",
      with: "security.capability=0x0100000300000000000000000000000000000000a0860100")
  }

  @Test func `Everything but owners stays: set-ID bits, capabilities, attributes, links, times`() throws {
    try withTemporaryDirectory { root in
      try makeTree(root)
      let tree = root.appending("a")
      let before = try (listing(tree, Self.format), attributes(tree))
      let top = try Syscall.open(tree, [.readOnly, .directory])
      try changeOwners(below: top.rawValue, OwnerChangeOptions(try OwnerShift(from: IDMaps(), to: Self.maps)))
      #expect(try listing(tree, Self.format) == mapped(before.0))
      #expect(try attributes(tree) == mappedCapabilities(before.1))
      let status = try Syscall.stat(tree)
      #expect((status.uid, status.gid) == (7, 8))
      #expect(try shell("find a -name '.stowage*' | wc -l", directory: root).outputText == "0\n")
    }
  }

  @Test func `A copy with other owners is the tree changed afterwards, and belongs to the container's root`() throws {
    try withTemporaryDirectory { root in
      try makeTree(root)
      try Syscall.mkdir(root.appending("b"), mode: 0o755)
      let shift = try OwnerShift(from: IDMaps(), to: Self.maps)
      try copyTree(from: root.appending("a"), to: root.appending("b"), options: CopyOptions(shift: shift))
      #expect(try listing(root.appending("b"), Self.format) == mapped(listing(root.appending("a"), Self.format)))
      #expect(try attributes(root.appending("b")) == mappedCapabilities(attributes(root.appending("a"))))
      let status = try Syscall.stat(root.appending("b"))
      #expect((status.uid, status.gid, status.permissions) == (100000, 200000, 0o711))
    }
  }

  @Test func `On an overlay everything is copied up, and broken hard links are mended`() throws {
    try withTemporaryDirectory { root in
      try makeTree(root)
      let expected = mapped(try listing(root.appending("a"), Self.format))
      let mounted = try shell(
        """
        mkdir up work m && mount -t overlay overlay -o lowerdir=a,upperdir=up,workdir=work,metacopy=off m
        """, directory: root)
      #expect(mounted.isSuccess, "\(mounted.errorText)")
      defer { _ = try? shell("umount m", directory: root) }
      do {
        let top = try Syscall.open(root.appending("m"), [.readOnly, .directory])
        try changeOwners(
          below: top.rawValue, OwnerChangeOptions(try OwnerShift(from: IDMaps(), to: Self.maps), touchesAll: true))
      }
      let copied = try listing(root.appending("up"), Self.format)
      #expect(Set(copied).symmetricDifference(expected).sorted() == [])
      #expect(try listing(root.appending("m"), Self.format) == expected)
      let capability = try shell("getfattr -h -e hex -n security.capability up/cap", directory: root).outputText
      #expect(capability.contains("0x0100000300000000000000000000000000000000a0860100"))
    }
  }

  @Test func `Symbolic links lead nowhere: what they name keeps its owner`() throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        "mkdir a outside && : > outside/x && ln -s ../outside a/d && ln -s \(root)/outside/x a/x", directory: root)
      let top = try Syscall.open(root.appending("a"), [.readOnly, .directory])
      try changeOwners(below: top.rawValue, OwnerChangeOptions(try OwnerShift(from: IDMaps(), to: Self.maps)))
      #expect(try listing(root.appending("outside"), "%P|%U:%G") == ["x|0:0"])
      #expect(try listing(root.appending("a"), "%P|%U:%G") == ["d|100000:200000", "x|100000:200000"])
    }
  }

  @Test func `The attribute of a forced mask gets the new owners, and what it says else stays`() throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        """
        mkdir -p a/d && : > a/f && : > a/bad && cd a && setfattr -n user.containers.override_stat -v 7:12:0644:pipe f &&
        setfattr -n user.containers.override_stat -v 0:0:01777:dir d && setfattr -n user.containers.override_stat -v x:1:2 bad
        """, directory: root)
      let top = try Syscall.open(root.appending("a"), [.readOnly, .directory])
      try changeOwners(
        below: top.rawValue,
        OwnerChangeOptions(try OwnerShift(from: IDMaps(), to: Self.maps), rewritesOverrides: true))
      let shown = try shell("getfattr -n user.containers.override_stat --only-values a/f a/d a/bad", directory: root)
      #expect(shown.outputText == "100007:300002:0644:pipe100000:200000:01777:dirx:1:2")
    }
  }

  @Test func `An owner that the old maps do not have is an error that names the file`() throws {
    try withTemporaryDirectory { root in
      _ = try shell("mkdir -p a/d b && : > a/d/f && chown -R 100000:200000 a && chown 5:6 a/d/f", directory: root)
      let shift = try OwnerShift(from: Self.maps, to: IDMaps())
      // The text is that of containers-storage 1.43.
      let text =
        "mapping host ID pair idtools.IDPair{UID:5, GID:6} for \"d/f\" to container: host ID 5 cannot be mapped to a "
        + "container ID"
      let top = try Syscall.open(root.appending("a"), [.readOnly, .directory])
      let first = #expect(throws: StorageError.self) {
        try changeOwners(below: top.rawValue, OwnerChangeOptions(shift))
      }
      #expect(first?.message == text)
      let second = #expect(throws: StorageError.self) {
        try copyTree(from: root.appending("a"), to: root.appending("b"), options: CopyOptions(shift: shift))
      }
      #expect(second?.message == text)
    }
  }
}
