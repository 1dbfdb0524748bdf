// SPDX-License-Identifier: Apache-2.0

import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Directories that an archive does not mention (containers/storage 1288). Expected: what vfs and containerd on overlay show.
@Suite("Directories without an entry", .tags(.root), .enabled(if: isRoot, "owners, devices"))
struct AdoptTests {
  private func implied(_ root: FilePath, _ options: ApplyOptions, _ fill: (inout Archive) -> Void) throws -> [String] {
    var archive = Archive()
    fill(&archive)
    return try apply(archive.bytes(), to: root, options).impliedDirectories.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `Extraction tells them, parents first, but not those with an entry, removed ones or opaque ones`() throws {
    try withTemporaryDirectory { root in
      let found = try implied(root.appending("t"), ApplyOptions(whiteouts: .overlay(.trusted))) {
        $0.file("a/b/c", "x")
        $0.file("e/f/g", "x")
        $0.directory("e/")
        $0.file(".wh.o")
        $0.file("o/x", "x")
        $0.file("w/.wh.gone")
      }
      #expect(found == ["a", "a/b", "e/f", "w"])
      // However many were taken out again, a child never comes before its parent.
      let nested = try implied(root.appending("n"), ApplyOptions(whiteouts: .overlay(.trusted))) { archive in
        let deep = (1...40).map { "p/" + (0..<$0).map { "d\($0)" }.joined(separator: "/") }
        for (index, path) in deep.enumerated() {
          archive.file("a\(index)/f", "x")
          archive.file(path + "/f", "x")
          archive.directory("a\(index)/")
        }
      }
      #expect(nested.count == 41 && nested.sorted { $0.utf8.count < $1.utf8.count } == nested, "\(nested)")
      #expect(
        try implied(root.appending("p"), ApplyOptions(whiteouts: .plain)) { $0.file("a/b", "x") } == [],
        "a tree that begins as a copy has them")
    }
  }

  @Test
  func `They get owner, mode and attributes of what is below, as overlay shows it, and nothing of what is hidden`()
    throws
  {
    try withTemporaryDirectory { root in
      let made = try shell(
        """
        mkdir -p up/a up/new up/gone up/hid/sub up/link up/file near/hid near far/a far/gone far/hid/sub far/target far/x
        chmod 755 up/*; chown 5:6 far/a; chmod 1770 far/a; setfattr -n user.x -v y far/a
        setfattr -n trusted.overlay.opaque -v y far/a
        chmod 700 far/gone far/hid far/hid/sub far/target; mknod near/gone c 0 0; chmod 711 near/hid
        setfattr -n trusted.overlay.opaque -v y near/hid; ln -s target near/link; : > near/file
        """, directory: root)
      #expect(made.isSuccess, "\(made)")
      var lowers = [root.appending("near"), root.appending("far")][...]
      try adoptDirectories(
        ["a", "new", "gone", "hid", "hid/sub", "link", "file"].map { Array($0.utf8) }, in: root.appending("up"),
        from: { lowers.popFirst().map { [$0] } }, attributes: .trusted, ignoresOwnerErrors: false,
        flushes: true)
      #expect(
        try listing(root.appending("up"), "%P|%m|%U:%G") == [
          "a|1770|5:6", "file|755|0:0", "gone|755|0:0", "hid/sub|755|0:0", "hid|711|0:0", "link|755|0:0", "new|755|0:0",
        ])
      #expect(try attributes(root.appending("up")).split(separator: "\n") == ["# file: a", "user.x=0x79"])
    }
  }
}
