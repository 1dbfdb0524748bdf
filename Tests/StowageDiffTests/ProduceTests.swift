// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageCompression
import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// The entries of an archive: name, kind, link name.
private func entries(_ bytes: [UInt8]) throws -> [String] {
  let reader = TarReader(BytesSource(bytes))
  var found: [String] = []
  while let header = try reader.next() {
    let link = header.linkName.isEmpty ? "" : " -> \(String(decoding: header.linkName, as: UTF8.self))"
    found.append(
      "\(Character(Unicode.Scalar(header.kind.rawValue))) \(String(decoding: header.name, as: UTF8.self))\(link)")
  }
  return found
}

@Suite("Production of diffs", .tags(.root), .enabled(if: isRoot, "devices and owners"))
struct ProduceTests {
  @Test func `Native: order of the tree, whiteouts and opaque marks in the archive's form`() throws {
    try withTemporaryDirectory { root in
      let (lower, upper) = (root.appending("lower"), root.appending("upper"))
      try apply(to: lower) {
        $0.file("aa/gone", "1")
        $0.file("old/x", "1")
        $0.file("opaque/x", "1")
      }
      _ = try shell(
        """
        mkdir -p upper/aa upper/aa-b upper/opaque upper/fresh && cd upper && printf 1 > aa/z && printf 1 > aa-b/y &&
        mknod aa/gone c 0 0 && ln aa/gone old && setfattr -n trusted.overlay.opaque -v y opaque fresh &&
        printf 1 > opaque/new && python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('sock')"
        """, directory: root)
      #expect(
        try entries(overlayDiff(upper, [lower])) == [
          "5 aa/", "0 aa/.wh.gone", "0 aa/z", "5 aa-b/", "0 aa-b/y", "5 fresh/", "0 .wh.old -> aa/gone", "5 opaque/",
          "0 opaque/.wh..wh..opq", "0 opaque/new",
        ])
    }
  }

  @Test func `An opaque mark depends on the nearest lower layer that speaks of the directory`() throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        """
        mkdir -p upper/d/e l1/d l2/d/e l3/x && setfattr -n trusted.overlay.opaque -v y upper/d/e && mknod l1/d/e c 0 0 &&
        mkdir l4 && mknod l4/d c 0 0 && mkdir l5 && ln -s \(root)/l2/d l5/d
        """, directory: root)
      func marked(_ lowers: String...) throws -> Bool {
        try entries(overlayDiff(root.appending("upper"), lowers.map { root.appending($0) })).contains(
          "0 d/e/.wh..wh..opq")
      }
      #expect(try marked("l2"))
      #expect(try marked("l3", "l2"))
      #expect(try !marked("l1", "l2"))
      #expect(try !marked("l4", "l2"))
      #expect(try !marked("l3"))
      #expect(try !marked())
      // A link of a lower layer is no directory, wherever it leads on the host.
      #expect(try !marked("l5"))
    }
  }

  @Test func `Whiteouts as attributes, which newer kernels write, are recognised`() throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        "mkdir -p upper/d && : > upper/d/gone && setfattr -n trusted.overlay.opaque -v x upper/d && "
          + "setfattr -n trusted.overlay.whiteout -v y upper/d/gone", directory: root)
      #expect(try entries(overlayDiff(root.appending("upper"))) == ["5 d/", "0 d/.wh.gone"])
    }
  }

  @Test func `Attributes that leave the store: capabilities and the user's, nothing else`() throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        """
        mkdir upper && cd upper && : > f && setfattr -n user.a -v b f && setfattr -n user.overlay.x -v b f &&
        setfattr -n trusted.x -v b f && setfattr -n security.capability -v 0x0100000200000000000000000000000000000000 f
        """, directory: root)
      let reader = TarReader(BytesSource(try overlayDiff(root.appending("upper"))))
      let names = try reader.next()?.extendedAttributes.map { String(decoding: $0.name, as: UTF8.self) }
      #expect(names?.sorted() == ["security.capability", "user.a"])
    }
  }

  private let maps = IDMaps(
    uids: [IDMapping(containerID: 0, hostID: 1000, size: 10)], gids: [IDMapping(containerID: 0, hostID: 1000, size: 10)]
  )

  @Test func `IDs are mapped back, whiteouts fall back to root, and any other object without a place is named`() throws
  {
    try withTemporaryDirectory { root in
      _ = try shell("mkdir upper && cd upper && : > in && chown 1005:1006 in && mknod gone c 0 0", directory: root)
      let reader = TarReader(BytesSource(try overlayDiff(root.appending("upper"), maps: maps)))
      var found: [String] = []
      while let header = try reader.next() {
        found.append("\(String(decoding: header.name, as: UTF8.self)) \(header.uid):\(header.gid)")
      }
      #expect(found == [".wh.gone 0:0", "in 5:6"])
      _ = try shell("rm upper/gone; : > upper/out && chown 3:1000 upper/out", directory: root)
      for diff in [
        { try overlayDiff(root.appending("upper"), maps: maps) },
        { try treeDiff(root.appending("upper"), nil, maps: maps) },
      ] {
        let error = #expect(throws: StorageError.self) { _ = try diff() }
        #expect(error?.code == .invalidMappings)
        #expect(error?.message.contains("/out, which belongs to 3:1000") == true, "\(error?.message ?? "")")
      }
    }
  }

  @Test
  func `Capabilities of revision 3 are mapped back: revision 2 for the container's root, none for who has no place`()
    throws
  {
    try withTemporaryDirectory { root in
      func capability(_ id: String) -> String { "0x0100000300040000000000000000000000000000" + id }
      _ = try shell(
        """
        mkdir upper && cd upper && for i in plain root user nobody; do : > $i; chown 1000:1000 $i; done
        setfattr -n security.capability -v 0x0100000200040000000000000000000000000000 plain
        setfattr -n security.capability -v \(capability("e8030000")) root
        setfattr -n security.capability -v \(capability("ea030000")) user
        setfattr -n security.capability -v \(capability("10270000")) nobody
        """, directory: root)
      func values(_ maps: IDMaps) throws -> [String] {
        let reader = TarReader(BytesSource(try overlayDiff(root.appending("upper"), maps: maps)))
        var found: [String] = []
        while let header = try reader.next() {
          let value = header.extendedAttributes.first?.value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            .joined()
          found.append("\(String(decoding: header.name, as: UTF8.self)) \(value ?? "-")")
        }
        return found
      }
      let (second, third) = ("0100000200040000000000000000000000000000", "0100000300040000000000000000000000000000")
      #expect(try values(maps) == ["nobody -", "plain \(second)", "root \(second)", "user \(third)02000000"])
      #expect(
        try values(IDMaps()) == [
          "nobody \(third)10270000", "plain \(second)", "root \(third)e8030000", "user \(third)ea030000",
        ])
    }
  }

  @Test func `Names that would delete something when they are imported are left out, or refused`() throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        """
        mkdir -p old/d new/d new/.wh.keep && : > new/.wh.keep/x && : > new/d/.wh.passwd && : > new/d/real &&
        : > new/d/.wh..wh..opq && : > old/d/.wh.was && ln new/d/real new/d/.wh.link && mkdir upper && cp -a new/. upper &&
        mknod upper/d/.wh..opq c 0 0
        """, directory: root)
      let expected = ["5 d/", "0 d/real"]
      #expect(try entries(overlayDiff(root.appending("upper"))) == expected)
      #expect(try entries(treeDiff(root.appending("new"), nil)) == expected)
      #expect(try entries(treeDiff(root.appending("new"), root.appending("old"))) == expected)
      let error = #expect(throws: StorageError.self) {
        try writeOverlayDiff(upper: root.appending("upper"), lowers: [], markNames: .refused, to: BytesSink())
      }
      #expect(error?.message.contains("/.wh.keep") == true)
    }
  }

  @Test func `Naive: sorted by whole paths, deletions one by one, hard link partners by device and inode`() throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        """
        mkdir -p old/aa old/aa-b old/dir/sub && : > old/aa/z && : > old/dir/sub/f && : > old/same && cp -a old new &&
        touch -d @5 new/aa/z && : > new/aa-b/y && rm -r new/dir/sub && ln new/aa/z new/zz && : > new/dir2 && rm new/same &&
        mkdir new/same && : > new/same/x
        """, directory: root)
      let bytes = try treeDiff(root.appending("new"), root.appending("old"))
      #expect(
        try entries(bytes)
          == [
            "5 aa-b/", "0 aa-b/y", "0 aa/z", "5 aa/", "5 dir/", "0 dir/.wh.sub", "0 dir2", "5 same/", "0 same/x",
            "1 zz -> aa/z",
          ].sorted { key($0).utf8.lexicographicallyPrecedes(key($1).utf8) })
      #expect(
        try entries(treeDiff(root.appending("old"), nil)) == [
          "5 aa/", "0 aa/z", "5 aa-b/", "5 dir/", "5 dir/sub/", "0 dir/sub/f", "0 same",
        ])
    }
  }

  private func key(_ entry: String) -> String {
    var name = String(entry.dropFirst(2).split(separator: " ")[0])
    if name.hasSuffix("/") { name.removeLast() }
    return name.replacing(".wh.", with: "")
  }

  @Test func `A file of another size than announced fails the diff`() throws {
    try withTemporaryDirectory { root in
      // A file of /proc announces 0 bytes; one of sysfs announces 4096 and has fewer.
      let error: StorageError? = {
        do {
          _ = try overlayDiff("/sys/kernel/mm/transparent_hugepage")
          return nil
        } catch { return error as? StorageError }
      }()
      if FilePath("/sys/kernel/mm/transparent_hugepage").exists {
        #expect(error?.message.contains("became shorter while it was read") == true)
      }
    }
  }
}

@Suite("Lists of changes", .tags(.root), .enabled(if: isRoot, "devices"))
struct ChangesTests {
  private func text(_ changes: [Change]) -> [String] {
    changes.map { "\($0.kind) \(String(decoding: $0.path, as: UTF8.self))" }
  }

  @Test func `A lower file replaced by a directory with content does not fail`() throws {
    try withTemporaryDirectory { root in
      _ = try shell("mkdir -p lower upper/f && : > lower/f && : > upper/f/x", directory: root)
      #expect(
        try text(overlayChanges(upper: root.appending("upper"), lowers: [root.appending("lower")])) == [
          "modify /f", "add /f/x",
        ])
    }
  }

  @Test func `Whiteouts as attributes in nearer layers hide farther ones`() throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        """
        mkdir -p upper/d near/d far/d && : > upper/d/f && : > far/d/f && : > near/d/f &&
        setfattr -n trusted.overlay.opaque -v x near/d && setfattr -n trusted.overlay.whiteout -v y near/d/f
        """, directory: root)
      let trees = ["near", "far"].map { root.appending($0) }
      #expect(try text(overlayChanges(upper: root.appending("upper"), lowers: trees)).contains("add /d/f"))
    }
  }

  @Test func `Whiteouts of nearer layers hide farther ones; links of lower layers are not followed`() throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        """
        mkdir -p upper/d upper/e near far/d far/e && : > upper/d/f && : > far/d/f && mknod near/d c 0 0 && : > upper/e/hosts &&
        mkdir links && ln -s /etc links/e
        """, directory: root)
      let trees = ["near", "far", "links"].map { root.appending($0) }
      #expect(try text(overlayChanges(upper: root.appending("upper"), lowers: trees)).contains("add /d/f"))
      #expect(try text(overlayChanges(upper: root.appending("upper"), lowers: [trees[2]])).contains("add /e/hosts"))
    }
  }

  @Test func `Two trees: what is compared and what is not`() throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        """
        mkdir old && cd old && for f in mode owner xattr time size link same content nanos; do echo $f > $f; done &&
        ln -sfn a link && find . -exec touch -h -d @1000 {} + && touch -d @1000.5 nanos && cd .. && cp -a old new && cd new &&
        chmod 600 mode && chown 5 owner && setfattr -n user.x -v y xattr && touch -d @1001 time && echo more >> size &&
        ln -sfn b link && echo CONTENT > content && find . ! -name time ! -name nanos -exec touch -h -d @1000 {} + &&
        touch -d @1000 nanos
        """, directory: root)
      let changes = try treeChanges(new: root.appending("new"), old: root.appending("old"))
      #expect(
        text(changes) == [
          "modify /link", "modify /mode", "modify /owner", "modify /size", "modify /time", "modify /xattr",
        ])
      #expect(try text(treeChanges(new: root.appending("old"), old: root.appending("old"))).isEmpty)
      #expect(try treeChanges(new: root.appending("old"), old: nil).count == 9)
      #expect(try changesSize(changes, in: root.appending("new")) == 1 + 5 + 6 + 10 + 5 + 6)
    }
  }

  @Test func `Directories: replaced by files, files by directories, parents of changes`() throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        """
        mkdir -p old/d/e old/gone/x && : > old/f && : > old/d/e/k && cp -a old new && cd new && rm -r d/e && : > d/e &&
        rm f && mkdir f && : > f/x && rm -r gone && touch -r ../old/d d
        """, directory: root)
      #expect(
        try text(treeChanges(new: root.appending("new"), old: root.appending("old"))) == [
          "modify /d", "modify /d/e", "modify /f", "add /f/x", "delete /gone",
        ])
    }
  }

  @Test func `Disk usage counts each file once and no directories`() throws {
    try withTemporaryDirectory { root in
      _ = try shell("mkdir -p t/d && printf 12345 > t/a && ln t/a t/b && ln -s 1234567 t/d/l", directory: root)
      #expect(try diskUsage(of: root.appending("t")) == (12, 4))
      #expect(throws: StorageError.self) { try diskUsage(of: root.appending("missing")) }
      try Syscall.mkdir(root.appending("empty"), mode: 0o755)
      #expect(try diskUsage(of: root.appending("empty")) == (0, 1))
    }
  }
}
