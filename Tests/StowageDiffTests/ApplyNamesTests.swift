// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Names of entries", .tags(.root), .enabled(if: isRoot, "owners are set"))
struct ApplyNamesTests {
  @Test(arguments: [
    ("/abs/file", "abs/file"), ("../evil", "evil"), ("a/../b/../c", "c"), ("d/./e//f", "d/e/f"),
    ("/../../../zz", "zz"), ("a/b/../../../../x/y", "x/y"), ("...", "..."), ("./.hidden", ".hidden"),
  ])
  func `A name lands where archive-and-diff 4.2.1 says`(name: String, expected: String) throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("diff")) { $0.file(name, "content") }
      let files = try shell("find . ! -type d -printf '%P\\n'", directory: root).outputText
      #expect(files == "diff/\(expected)\n")
    }
  }

  @Test func `A parent that is a link is followed inside the layer only`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("diff")) {
        $0.directory("etc/")
        $0.symbolicLink("s", "/etc")
        $0.file("s/probe-of-stowage", "x")
        $0.symbolicLink("up", "../../../..")
        $0.file("up/top", "y")
        $0.directory("deep/")
        $0.symbolicLink("deep/rel", "../etc")
        $0.file("deep/rel/second", "z")
      }
      #expect(try listing(root.appending("diff"), "%P").contains("etc/probe-of-stowage"))
      #expect(root.appending("diff/top").exists)
      #expect(root.appending("diff/etc/second").exists)
      #expect(!FilePath("/etc/probe-of-stowage").exists)
    }
  }

  @Test func `What replaces a directory through a link keeps its own times`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("diff")) {
        $0.directory("a/")
        $0.directory("a/replaced/")
        $0.symbolicLink("l", "a")
        $0.directory("l/other/")
        $0.file("l/replaced", "x")
        $0.file("l", "y")
      }
      let times = try listing(root.appending("diff"), "%P %Ts")
      #expect(times.contains("a/replaced 1600000000"))
      #expect(times.contains("l 1600000000"))
    }
  }

  @Test func `A parent that is a dangling link is an error with the path inside the layer`() throws {
    try withTemporaryDirectory { root in
      let error = try failure(to: root.appending("diff")) {
        $0.symbolicLink("s", "/nowhere")
        $0.file("s/x", "x")
      }
      #expect(error?.message == "open /s/x: no such file or directory")
      #expect(error?.code == .system)
    }
  }

  @Test func `A directory entry replaces a link to a directory`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("diff")) {
        $0.directory("real/")
        $0.file("real/keep", "1")
        $0.symbolicLink("name", "real")
        $0.file("name/via-link", "2")
        $0.directory("name/./")
        $0.file("name/own", "3")
      }
      #expect(
        try listing(root.appending("diff"), "%P|%y") == [
          "name/own|f", "name|d", "real/keep|f", "real/via-link|f", "real|d",
        ])
    }
  }

  @Test func `A hard link cannot name a file outside`() throws {
    try withTemporaryDirectory { root in
      try root.appending("outside").write("secret")
      let error = try failure(to: root.appending("diff")) { $0.hardLink("h", "../outside") }
      #expect(error?.message.hasSuffix("no such file or directory") == true)
      let through = try failure(to: root.appending("diff")) {
        $0.symbolicLink("up", "..")
        $0.hardLink("h2", "up/outside")
      }
      #expect(through?.message.hasSuffix("no such file or directory") == true)
      #expect(try listing(root.appending("diff"), "%P") == ["up"])
    }
  }

  @Test func `A hard link to a symbolic link links the link`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("diff")) {
        $0.symbolicLink("s", "/etc/hostname")
        $0.hardLink("h", "/s")
      }
      #expect(try listing(root.appending("diff"), "%P|%y|%l|%n") == ["h|l|/etc/hostname|2", "s|l|/etc/hostname|2"])
    }
  }

  @Test func `Names are bytes`() throws {
    try withTemporaryDirectory { root in
      let name: [UInt8] = [0xFF, 0xFE, 0x2F, 0xC3, 0x28]
      var archive = Archive()
      archive.file(name, "x")
      try apply(archive.bytes(), to: root.appending("diff"))
      let names = try Syscall.directoryNames(root.appending("diff"))
      #expect(names == [[0xFF, 0xFE]])
    }
  }

  @Test(.tags(.slow)) func `A tree of depth 2000 is extracted, replaced and measured`() throws {
    raiseDescriptorLimit()
    try withTemporaryDirectory { root in
      let name = String(repeating: "d/", count: 1999) + "f"
      try apply(to: root.appending("diff")) { $0.file(name, "deep") }
      #expect(try diskUsage(of: root.appending("diff")).size == 4)
      try apply(to: root.appending("diff")) { $0.file("d", "flat") }
      #expect(try listing(root.appending("diff"), "%P|%s") == ["d|4"])
    }
  }

  /// What the kernel cannot name could never be read again, and costs by the square of its length.
  @Test(
    .tags(.slow),
    arguments: [
      ("n", 256, "", false), ("n", 255, "", true), ("a/", 2048, "h", false), ("a/", 100_000, "h", false),
      ("../", 100_000, "h", true), ("./", 100_000, "h", true),
      ("a/" + String(repeating: "n", count: 256), 1, "/h", false),
    ])
  func `A name is taken if the kernel can name what is left of it, in every kind of entry`(
    part: String, count: Int, end: String, isTaken: Bool
  ) throws {
    let name = Array(String(repeating: part, count: count).utf8) + Array(end.utf8)
    let base = name.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    let kinds: [TarHeader.Kind] = [.regular, .directory, .fifo, .characterDevice, .symbolicLink, .hardLink]
    var entries = kinds.map { TarHeader(kind: $0, name: name, linkName: Array("/b".utf8), mode: 0o755) }
    entries.append(TarHeader(kind: .regular, name: name[..<base] + Array(".wh.".utf8) + name[base...]))
    for entry in entries {
      try withTemporaryDirectory { root in
        for options in [ApplyOptions(), plain] {
          var archive = Archive()
          archive.file("b")
          archive.add(entry)
          let error = try failure(archive.bytes(), to: root.appending("diff"), options)
          let isRefused = error?.code == .invalidArchive && error?.message.hasSuffix("file name too long") == true
          #expect(isTaken ? error == nil : isRefused)
          #expect((error?.message.utf8.count ?? 0) < 300)
          if !isTaken { #expect(try root.appending("diff").names() == ["b"]) }
        }
      }
    }
  }

  @Test func `Targets that no file can have, and empty names, are refused`() throws {
    try withTemporaryDirectory { root in
      for (count, isTaken) in [(4095, true), (4096, false), (1_000_000, false)] {
        let target = String(repeating: "t/", count: count).prefix(count)
        let error = try failure(to: root.appending("diff")) { $0.symbolicLink("l", String(target)) }
        #expect((error == nil) == isTaken)
        #expect((error?.message.utf8.count ?? 0) < 300)
      }
      let deep = try failure(to: root.appending("diff")) {
        $0.hardLink("h", String(repeating: "a/", count: 20_000) + "f")
      }
      #expect(deep?.message.hasSuffix("file name too long") == true)
      let empty: [(inout Archive) -> Void] = [
        { $0.add(TarHeader(kind: .regular, name: [])) }, { $0.add(TarHeader(kind: .directory, name: [])) },
        { $0.symbolicLink("s", "") }, { $0.hardLink("h", "") },
      ]
      for build in empty {
        for options in [ApplyOptions(), plain] {
          #expect(try failure(to: root.appending("diff"), options, build)?.code == .invalidArchive)
        }
      }
    }
  }

  @Test func `Directories without an entry get mode 0755 and the mapped root, whatever the umask`() throws {
    try withTemporaryDirectory { root in
      let maps = IDMaps(
        uids: [IDMapping(containerID: 0, hostID: 1000, size: 10)],
        gids: [IDMapping(containerID: 0, hostID: 2000, size: 10)])
      for (index, options) in [ApplyOptions(idMaps: maps), ApplyOptions(idMaps: maps, whiteouts: .plain)].enumerated() {
        let tree = root.appending("\(index)")
        try apply(to: tree, options) { $0.file("a/b/c", "x", uid: 1, gid: 2) }
        #expect(try listing(tree, "%P|%m|%U:%G") == ["a/b/c|644|1001:2002", "a/b|755|1000:2000", "a|755|1000:2000"])
      }
    }
  }

  @Test func `A file in the place of a directory above is an error`() throws {
    try withTemporaryDirectory { root in
      let error = try failure(to: root.appending("diff")) {
        $0.file("a", "x")
        $0.file("a/b", "y")
      }
      #expect(error?.message == "open /a/b: not a directory")
    }
  }
}
