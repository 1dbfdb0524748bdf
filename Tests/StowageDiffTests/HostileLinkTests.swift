// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// The shapes of CVE-2025-11395 and its kin (changes-1.65 3): whatever an archive does with links, nothing outside of the layer
/// changes.
@Suite("Links out of a layer", .tags(.root), .enabled(if: isRoot, "devices"))
struct HostileLinkTests {
  /// Archives that are put into one tree, one after the other.
  struct Shape: Sendable, CustomTestStringConvertible {
    let name: String
    let archives: [@Sendable (inout Archive) -> Void]
    var testDescription: String { name }

    init(_ name: String, _ archives: @Sendable (inout Archive) -> Void...) {
      self.name = name
      self.archives = archives
    }
  }

  /// The links lead to `out`, beside the tree, absolute by a name that the test replaces, and relative.
  private static let link: @Sendable (inout Archive) -> Void = {
    $0.symbolicLink("abs", "OUT")
    $0.symbolicLink("rel", "../out")
  }

  static let shapes: [Shape] = [
    Shape("a directory replaced with a link between entries") {
      $0.directory("d/")
      $0.file("d/a", "x")
      $0.symbolicLink("d", "OUT")
      $0.file("d/secret", "evil")
      $0.directory("d/sub/", mode: 0o777)
    },
    Shape("files through links of an earlier layer", link) {
      $0.file("abs/secret", "evil")
      $0.file("rel/secret", "evil")
      $0.file("abs/new", "evil")
    },
    Shape("hard links through links", link) {
      $0.hardLink("h1", "abs/secret", mode: 0o777)
      $0.hardLink("h2", "rel/secret", mode: 0o777)
      $0.file("h1", "evil")
    },
    Shape("a hard link to a link, written to") {
      $0.symbolicLink("l", "OUT/secret")
      $0.hardLink("h", "l", mode: 0o777)
      $0.file("h", "evil")
      $0.file("l", "evil")
    },
    Shape("whiteouts through links", link) {
      $0.file("abs/.wh.secret")
      $0.file("rel/.wh.secret")
      $0.file("abs/.wh.sub")
    },
    Shape("opaque marks in linked directories", link) {
      $0.file("abs/.wh..wh..opq")
      $0.file("rel/.wh..wh..opq")
    },
    Shape("parents that are links and have no entry", link) {
      $0.file("abs/a/b/c", "evil")
      $0.file("rel/sub/b/c", "evil")
    },
    Shape("devices and FIFOs through links", link) {
      $0.device("abs/device", major: 1, minor: 3)
      $0.add(TarHeader(kind: .fifo, name: Array("rel/fifo".utf8), mode: 0o666))
      $0.device("rel/secret", major: 1, minor: 3)
    },
    Shape("names with .. after links", link) {
      $0.file("abs/../out/secret", "evil")
      $0.file("rel/../out/secret", "evil")
      $0.file("rel/sub/../../out/new", "evil")
      $0.file("../../out/secret", "evil")
    },
    Shape("a linked directory with other attributes", link) {
      $0.directory("abs/", mode: 0o777)
      $0.directory("rel/.", mode: 0o777)
      $0.directory("abs/sub/", mode: 0o777)
    },
  ]

  @Test(arguments: shapes, [WhiteoutForm.plain, .overlay(.trusted), .literal])
  func `Nothing outside of the layer changes`(shape: Shape, whiteouts: WhiteoutForm) throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        "mkdir -p t out/sub; echo secret >out/secret; echo s >out/sub/s; chmod 600 out/secret; chmod 700 out/sub",
        directory: root)
      let out = root.appending("out")
      let before = try (listing(out), attributes(out))
      for fill in shape.archives {
        var archive = Archive()
        fill(&archive)
        archive.replaceTargets("OUT", with: out.string)
        // Whether it is an error is decided elsewhere.
        _ = try? apply(archive.bytes(), to: root.appending("t"), ApplyOptions(whiteouts: whiteouts))
      }
      #expect(try listing(out) == before.0)
      #expect(try attributes(out) == before.1)
      #expect(try shell("cat out/secret", directory: root).outputText == "secret\n")
    }
  }
}
