// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Metadata of entries", .tags(.root), .enabled(if: isRoot, "owners are set"))
struct ApplyMetadataTests {
  private func header(_ name: String, _ kind: TarHeader.Kind = .regular, seconds: Int64, nanoseconds: Int64 = 0)
    -> TarHeader
  {
    TarHeader(
      kind: kind, name: Array(name.utf8), mode: 0o644, modified: ArchiveTime(seconds: seconds, nanoseconds: nanoseconds)
    )
  }

  /// archive-and-diff 4.3: modes and owners are those of the entries, whatever a directory passes on to what is made in it.
  @Test func `What is made below a root that sets the group has its own group and mode`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("diff")) {
        $0.directory("/", mode: 0o2755, gid: 50)
        $0.file("implied/f", "x")
        $0.directory("d/")
        $0.file("f", "x")
      }
      let entries = try listing(root.appending("diff"), "%P %m %G")
      #expect(entries == ["d 755 0", "f 644 0", "implied 755 0", "implied/f 644 0"])
    }
  }

  @Test func `Modes are exact: set-ID and sticky bits survive a change of owner, the umask does not count`() throws {
    try withTemporaryDirectory { root in
      let tree = root.appending("t")
      try apply(to: tree) {
        $0.file("setuid", "x", mode: 0o6755, uid: 5, gid: 6)
        $0.file("rootsetuid", "x", mode: 0o4711)
        $0.file("open", "x", mode: 0o666)
        $0.file("closed", "x", mode: 0, uid: 7)
        $0.directory("sticky/", mode: 0o1777)
        $0.directory("group/", mode: 0o2775, gid: 20)
        $0.file("group/inside", "x", mode: 0o640)
        $0.directory("group/sub/", mode: 0o755)
      }
      #expect(
        try listing(tree, "%P|%m|%U:%G") == [
          "closed|0|7:0", "group/inside|640|0:0", "group/sub|755|0:0", "group|2775|0:20", "open|666|0:0",
          "rootsetuid|4711|0:0", "setuid|6755|5:6", "sticky|1777|0:0",
        ])
    }
  }

  @Test
  func `Times: nanoseconds are kept, what is before 1970 or after 2262 becomes the epoch, links keep theirs`() throws {
    try withTemporaryDirectory { root in
      var archive = Archive()
      archive.add(header("nano", seconds: 1_600_000_000, nanoseconds: 123_456_789))
      archive.add(header("negative", seconds: -5))
      archive.add(header("far", seconds: 9_223_372_037))
      archive.add(header("last", seconds: 9_223_372_036))
      var old = header("link", .symbolicLink, seconds: -100)
      old.linkName = Array("x".utf8)
      archive.add(old)
      archive.add(header("dir/", .directory, seconds: 1_000_000_000, nanoseconds: 5))
      archive.add(header("dir/later", seconds: 1))
      try apply(archive.bytes(), to: root.appending("t"))
      #expect(
        try listing(root.appending("t"), "%P|%T@") == [
          "dir/later|1.0000000000", "dir|1000000000.0000000050", "far|0.0000000000", "last|9223372036.0000000000",
          "link|-100.0000000000", "nano|1600000000.1234567890", "negative|0.0000000000",
        ])
    }
  }

  @Test func `Access times: not before the modification for files, the epoch for directories without one`() throws {
    try withTemporaryDirectory { root in
      var archive = Archive()
      archive.add(header("dir/", .directory, seconds: 1000))
      archive.add(header("file", seconds: 2000))
      try apply(archive.bytes(), to: root.appending("t"))
      #expect(try listing(root.appending("t"), "%P|%A@") == ["dir|0.0000000000", "file|2000.0000000000"])
    }
  }

  @Test func `Devices, FIFOs and what a user namespace leaves out`() throws {
    try withTemporaryDirectory { root in
      var archive = Archive()
      archive.device("char", major: 300, minor: 70000, mode: 0o666)
      archive.add(TarHeader(kind: .fifo, name: Array("fifo".utf8), mode: 0o600))
      try apply(archive.bytes(), to: root.appending("t"))
      let device = try Syscall.lstat(root.appending("t/char"))
      #expect((device.deviceMajor, device.deviceMinor) == (300, 70000))
      #expect(try listing(root.appending("t"), "%P|%y|%m") == ["char|c|666", "fifo|p|600"])
      try apply(archive.bytes(), to: root.appending("u"), ApplyOptions(inUserNamespace: true))
      #expect(try listing(root.appending("u"), "%P|%y|%m") == ["fifo|p|600"])
    }
  }

  @Test func `The last hard link entry's owner and mode win`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("t")) {
        $0.file("a", "x", mode: 0o600)
        $0.hardLink("b", "a", mode: 0o644)
        $0.hardLink("c", "./b", mode: 0o640)
      }
      #expect(try listing(root.appending("t"), "%P|%m|%n") == ["a|640|3", "b|640|3", "c|640|3"])
    }
  }

  @Test func `ID maps are applied; an ID without a place fails the application`() throws {
    try withTemporaryDirectory { root in
      func maps(_ size: Int) -> IDMaps {
        IDMaps(
          uids: [IDMapping(containerID: 0, hostID: 100_000, size: size)],
          gids: [IDMapping(containerID: 0, hostID: 200_000, size: size)])
      }
      var archive = Archive()
      archive.file("f", "x", uid: 10, gid: 20)
      archive.file(".wh.w", uid: 3, gid: 4)
      try apply(archive.bytes(), to: root.appending("t"), ApplyOptions(idMaps: maps(65536)))
      #expect(try listing(root.appending("t"), "%P|%U:%G") == ["f|100010:200020", "w|100003:200004"])
      let error = try failure(archive.bytes(), to: root.appending("u"), ApplyOptions(idMaps: maps(10)))
      #expect(error?.message == "container ID 10 cannot be mapped to a host ID")
      #expect((error?.cause as? ApplyFailure)?.origin == .entry)
    }
  }

  @Test func `Where owners are changed on disk a capability is for the mapped root, and for others by the maps`() throws
  {
    try withTemporaryDirectory { root in
      let maps = IDMaps(
        uids: [IDMapping(containerID: 0, hostID: 1000, size: 10)],
        gids: [IDMapping(containerID: 0, hostID: 1000, size: 10)])
      func value(_ revision: UInt8, _ root: [UInt8]) -> [UInt8] {
        [1, 0, 0, revision, 0, 4] + [UInt8](repeating: 0, count: 14) + root
      }
      var archive = Archive()
      let values = [("two", value(2, [])), ("three", value(3, [2, 0, 0, 0])), ("none", value(3, [99, 0, 0, 0]))]
      for (name, value) in values {
        var header = header(name, seconds: 1)
        header.extendedAttributes = [.init(name: Array("security.capability".utf8), value: value)]
        archive.add(header)
      }
      try Syscall.mkdir(root.appending("t"), mode: 0o755)
      try apply(archive.bytes(), to: root.appending("t"), ApplyOptions(idMaps: maps))
      let shown = try shell(
        "cd t; getfattr -e hex -n security.capability two three none 2>/dev/null | grep = || true",
        directory: root)
      #expect(
        shown.outputText.split(separator: "\n").map { $0.suffix(8) } == ["e8030000", "ea030000"], "\(shown)")
    }
  }

  @Test func `Attributes are set, except those that steer overlayfs or SELinux`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("t")) {
        $0.directory(
          "d/",
          attributes: [
            ("trusted.overlay.redirect", "/x"), ("trusted.overlay.opaque", "y"), ("user.overlay.whiteout", ""),
            ("trusted.mine", "1"), ("user.mine", ""), ("security.selinux", "x"),
          ])
        $0.file("f", "x", attributes: [("user.a", "b")])
        $0.symbolicLink("l", "x", attributes: [("trusted.l", "1")])
      }
      let names = try shell("getfattr -h -m - d f l | grep -v '^#' | grep .", directory: root.appending("t")).outputText
      #expect(names == "trusted.mine\nuser.mine\nuser.a\ntrusted.l\n")
    }
  }

  @Test func `A refused attribute fails with the reference's words; an unknown name space is ignored`() throws {
    try withTemporaryDirectory { root in
      let error = try failure(to: root.appending("t")) { $0.symbolicLink("sl", "x", attributes: [("user.a", "b")]) }
      #expect(error?.message == "lsetxattr /sl: operation not permitted")
      #expect(error?.code == .system)
      let lenient = ApplyOptions(inUserNamespace: true)
      #expect(
        try failure(to: root.appending("u"), lenient) { $0.symbolicLink("sl", "x", attributes: [("user.a", "b")]) }
          == nil)
      #expect(try failure(to: root.appending("v")) { $0.file("f", "", attributes: [("nonsense.a", "b")]) } == nil)
    }
  }

  @Test func `A force mask: one mode, no owners, the truth in an attribute (archive-and-diff 4.7)`() throws {
    try withTemporaryDirectory { root in
      let tree = root.appending("t")
      try apply(to: tree, ApplyOptions(whiteouts: .literal, forceMask: 0o755)) {
        $0.file("f", "x", mode: 0o6755, uid: 5, gid: 6)
        $0.directory("d/", mode: 0o1777)
        $0.device("c", major: 300, minor: 70000, mode: 0o666)
        $0.hardLink("h", "f")
        $0.symbolicLink("l", "f")
      }
      #expect(
        try listing(tree, "%P|%y|%m|%U:%G") == [
          "c|f|755|0:0", "d|d|755|0:0", "f|f|755|0:0", "h|f|755|0:0", "l|l|777|0:0",
        ])
      let values = try shell(
        "getfattr -h -d -m user.containers -e text . c d f | grep override", directory: tree
      ).outputText
      #expect(
        values.split(separator: "\n") == [
          "user.containers.override_stat=\"0:0:0755:dir\"", "user.containers.override_stat=\"0:0:0666:char-300-70000\"",
          "user.containers.override_stat=\"0:0:1777:dir\"", "user.containers.override_stat=\"5:6:6755:file\"",
        ])
    }
  }

  @Test func `The root's entry counts for plain trees only, the absolute one always`() throws {
    try withTemporaryDirectory { root in
      for (name, options, mode) in [
        ("./", ApplyOptions(), "755"), ("./", plain, "711"), ("/", ApplyOptions(), "711"), ("/", plain, "711"),
      ] {
        let tree = root.appending("t")
        try removeAndMake(tree)
        try apply(to: tree, options) {
          $0.directory(name, mode: 0o711, uid: 3)
          $0.file("f")
        }
        let status = try Syscall.stat(tree)
        #expect(String(status.permissions, radix: 8) == mode)
        #expect((status.modificationTime.seconds == 1_500_000_000) == (mode == "711"))
      }
      let error = try failure(to: root.appending("t"), plain) { $0.symbolicLink("./", "/etc") }
      #expect(error?.code == .invalidArchive)
    }
  }

  private func removeAndMake(_ path: FilePath) throws {
    _ = try shell("rm -rf \(path) && mkdir -m 755 \(path)")
  }

  @Test(arguments: ["f", "d", "l"], ["f", "d", "l"])
  func `A later entry replaces an earlier one of another kind`(first: String, second: String) throws {
    try withTemporaryDirectory { root in
      func put(_ kind: String, _ archive: inout Archive) {
        switch kind {
        case "f": archive.file("x", "1")
        case "d": archive.directory("x/")
        default: archive.symbolicLink("x", "nowhere")
        }
      }
      try apply(to: root.appending("t")) {
        put(first, &$0)
        if first == "d" { $0.file("x/child", "2") }
      }
      try apply(to: root.appending("t")) { put(second, &$0) }
      let kept = first == "d" && second == "d" ? ["x/child|f"] : []
      #expect(try listing(root.appending("t"), "%P|%y") == kept + ["x|\(second)"])
    }
  }

  @Test func `Replacement of one kind by another can be refused`() throws {
    try withTemporaryDirectory { root in
      var options = ApplyOptions(whiteouts: .literal)
      options.replacement = .sameKindOnly
      try apply(to: root.appending("t")) {
        $0.directory("a1/")
        $0.file("f")
      }
      let onDirectory = try failure(to: root.appending("t"), options) { $0.file("a1") }
      #expect(onDirectory?.message == "cannot overwrite directory \"/a1\" with non-directory \"/\"")
      let onFile = try failure(to: root.appending("t"), options) { $0.directory("f/") }
      #expect(onFile?.message == "cannot overwrite non-directory \"/f\" with directory \"/\"")
      #expect(try failure(to: root.appending("t"), options) { $0.file("f", "again") } == nil)
    }
  }
}
