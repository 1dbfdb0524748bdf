// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

/// What a check tells of each layer of a chain on overlay: how the tree that the layer shows differs from the one that its archive and
/// those of all its ancestors say there is (store-semantics 22.3), whichever directory of the chain is damaged.
@Suite("Damage in chains of overlay layers", .tags(.root), .enabled(if: isRoot, "overlay mounts need root"))
struct LayerDamageTests {
  /// The layer `base`; `mid`, which replaces `d/b`, deletes `d/gone`, and hides what `base` has in `o`; `top`.
  private func makeChain() throws -> TestStore {
    let test = try TestStore("overlay")
    let made = try shell(
      """
      mkdir -p t/d t/o t/e u/d u/o w && cd t && echo a >d/a && echo b >d/b && echo g >d/gone && echo x >o/x && echo y >o/y
      echo h >h1 && ln h1 h2 && ln -s d/a l && cd ..
      echo bb >u/d/b && : >u/d/.wh.gone && : >u/o/.wh..wh..opq && echo z >u/o/z && echo top >w/top
      chmod -R u=rwX,go=rX t u w
      for i in t u w; do
        find $i -exec touch -h -d @1600000000 {} + && tar -C $i --owner=0 --group=0 --sort=name -cf $i.tar .
      done
      """, directory: test.place.path)
    try #require(made.isSuccess, "\(made)")
    let store = try test.open()
    for (id, parent, archive) in [("base", nil, "t"), ("mid", "base", "u"), ("top", "mid", "w")] as [(_, String?, _)] {
      let file = test.place.appending("\(archive).tar").string
      _ = try store.layers.put(LayerCreation(id: id, parent: parent), diff: .file(file))
    }
    _ = try store.images.create(ImageCreation(id: "image", layer: "top"))
    return test
  }

  /// A layer's messages, without what all have.
  private func texts(_ report: CheckReport, _ layer: String) -> [String] {
    (report.layers.first { $0.id == layer }?.findings ?? []).map { finding in
      String(finding.message.dropFirst("layer \(layer): ".count)).replacing(", layer content modified", with: "")
    }
  }

  /// Damage, and what is told of `base`, of `mid` and of `top`. Times are put back afterwards.
  private struct Damage {
    let script: String
    let base: [String]
    let mid: [String]
    let top: [String]

    init(_ script: String, base: [String] = [], mid: [String] = [], top: [String]? = nil) {
      (self.script, self.base, self.mid, self.top) = (script, base, mid, top ?? mid)
    }

    /// What all layers show.
    init(_ script: String, all texts: [String]) { self.init(script, base: texts, mid: texts) }
  }

  private static let damages: [Damage] = [
    Damage("true", all: []),
    Damage("chmod 600 base/diff/d/a", all: ["+/d/a(mode:0644￫0600)", "/d/a(mode:0644￫0600)"]),
    Damage("chmod 600 base/diff/d/b", base: ["+/d/b(mode:0644￫0600)", "/d/b(mode:0644￫0600)"]),
    Damage(
      "chown 7:8 base/diff/o/x; chown 7 base/diff/o",
      base: ["+/o/x(uid:0￫7,gid:0￫8)", "/o(uid:0￫7)", "/o/x(uid:0￫7,gid:0￫8)"]),
    Damage("mkdir base/diff/n; echo n >base/diff/n/m", all: ["+/n/", "+/n/m"]),
    Damage("echo n >base/diff/o/new", base: ["+/o/new"]),
    Damage("echo n >base/diff/d/gone2; echo n >base/diff/d/new", all: ["+/d/gone2", "+/d/new"]),
    Damage("rmdir base/diff/e", all: ["-/e/"]),
    Damage(
      "rmdir base/diff/e; : >base/diff/e", all: ["+/e(filetype:5￫0,mode:0755￫0644)", "/e(filetype:5￫0,mode:0755￫0644)"]),
    Damage(
      "rm base/diff/l; : >base/diff/l", all: ["+/l(filetype:2￫0,mode:0777￫0644)", "/l(filetype:2￫0,mode:0777￫0644)"]),
    Damage("rm base/diff/h2; echo hh >base/diff/h2", all: ["+/h2(size:2￫3)", "/h2(size:2￫3)"]),
    Damage("chmod 600 mid/diff/o/z", mid: ["+/o/z(mode:0644￫0600)", "/o/z(mode:0644￫0600)"]),
    Damage("rm mid/diff/d/gone", mid: ["+/d/gone"]),
    Damage("mknod mid/diff/d/a c 0 0", mid: ["-/d/a"]),
    Damage("setfattr -x trusted.overlay.opaque mid/diff/o", mid: ["+/o/x", "+/o/y"]),
    Damage("setfattr -n trusted.overlay.opaque -v y mid/diff/d", mid: ["-/d/a"]),
    Damage(
      "chmod 600 base/diff/d/a; setfattr -n trusted.overlay.opaque -v y mid/diff/d; echo n >top/diff/n",
      base: ["+/d/a(mode:0644￫0600)", "/d/a(mode:0644￫0600)"], mid: ["-/d/a"], top: ["-/d/a", "+/n"]),
    Damage("chmod 600 top/diff/top", top: ["+/top(mode:0644￫0600)", "/top(mode:0644￫0600)"]),
    Damage("mknod top/diff/o c 0 0", top: ["-/o/", "-/o/z"]),
    // Over a layer whose archive is another one nothing is known of the trees.
    Damage(
      "echo A >base/diff/d/a",
      base: [
        #"consume any trailer after the EOF marker: file integrity checksum failed for "./d/a""#,
        #"file integrity checksum failed for "./d/a""#,
      ]),
  ]

  @Test(.tags(.slow)) func `Damage is told of each layer that shows it, and of no other`() throws {
    let test = try makeChain()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let (home, saved) = (test.graph.appending("overlay"), test.place.appending("saved"))
    try #require(
      try shell("mkdir \(saved); for i in base mid top; do cp -a $i/diff \(saved)/$i; done", directory: home).isSuccess)
    for damage in LayerDamageTests.damages {
      let done = try shell(
        """
        for i in base mid top; do rm -r $i/diff; cp -a \(saved)/$i $i/diff; done
        \(damage.script)
        find */diff -mindepth 1 -newermt @1600000001 -exec touch -h -d @1600000000 {} +
        """, directory: home)
      try #require(done.isSuccess, "\(done)")
      let report = try store.check()
      #expect(texts(report, "base") == damage.base, "\(damage.script)")
      #expect(texts(report, "mid") == damage.mid, "\(damage.script)")
      #expect(texts(report, "top") == damage.top, "\(damage.script)")
      #expect(report.images.isEmpty == (damage.base + damage.mid + damage.top).isEmpty, "\(damage.script)")
    }
  }

  @Test func `Another time of a directory is told of no layer that has the directory itself`() throws {
    let test = try makeChain()
    defer { withExtendedLifetime(test) {} }
    try #require(
      try shell("touch -d @1600000005 \(test.content(of: "base"))/d \(test.content(of: "base"))/e").isSuccess)
    let report = try test.open().check()
    let time = "(mtime:0x5f5e1000￫0x5f5e1005)"
    #expect(texts(report, "base") == ["/d\(time)", "/e\(time)"])
    #expect(texts(report, "mid") == ["/e\(time)"])
    #expect(texts(report, "top") == ["/e\(time)"])
    #expect(report.layers.allSatisfy { $0.findings.allSatisfy { $0.remedy == .none } })
  }

  @Test func `A layer whose own directory is gone cannot be mounted, nor can its child`() throws {
    let test = try makeChain()
    defer { withExtendedLifetime(test) {} }
    try Syscall.rename(test.content(of: "mid"), test.graph.appending("overlay/mid/was"))
    let report = try test.open().check()
    #expect(texts(report, "base") == [])
    #expect(texts(report, "mid").last?.hasSuffix("no such file or directory") == true)
    #expect(texts(report, "top").first?.contains("lower layer") == true)
  }

  @Test func `A layer whose list of parents is not the records' is compared as it is shown`() throws {
    let test = try makeChain()
    defer { withExtendedLifetime(test) {} }
    try test.graph.appending("overlay/mid/lower-layers").write("top")
    let report = try test.open().check()
    #expect(report.layers.map(\.id) == ["mid"])
    #expect(report.layers.flatMap { $0.findings.map(\.remedy) } == [.restoration])
  }

  #if STOWAGE_HOOKS
    /// Mounts and reads of a check.
    private func costs(_ store: Store) throws -> (mounts: Int, reads: Int) {
      let mounts = Atomic(0)
      let before = try readCalls()
      _ = try SystemHook.$observer.withValue({ step in
        if step.name.contains("mount"), !step.name.contains("umount") { mounts.add(1, ordering: .relaxed) }
        return nil
      }) { try store.check() }
      return (mounts.load(ordering: .relaxed), try readCalls() - before)
    }

    /// The calls that have read from files in this process.
    private func readCalls() throws -> Int {
      let lines = try FilePath("/proc/self/io").readText().split(separator: "\n")
      return try #require(lines.first { $0.hasPrefix("syscr: ") }.flatMap { Int($0.dropFirst("syscr: ".count)) })
    }

    @Test(.tags(.slow)) func `What a check does grows as the depth of a chain, also over damage`() throws {
      let test = try TestStore("overlay", options: ["overlay.sync=none"])
      defer { withExtendedLifetime(test) {} }
      let store = try test.open()
      let archive = try test.tar(["f": "x"]).string
      let damages = [
        ("true", "true"), ("chmod 600 l0/diff/f", "chmod 644 l0/diff/f"), ("mkdir l0/diff/n", "rmdir l0/diff/n"),
      ]
      var known: [(mounts: Int, reads: Int)] = []
      for depth in [20, 40] {
        for number in depth - 20..<depth {
          let parent = number == 0 ? nil : "l\(number - 1)"
          _ = try store.layers.put(LayerCreation(id: "l\(number)", parent: parent), diff: .file(archive))
        }
        for (damage, undo) in damages {
          try #require(try shell(damage, directory: test.graph.appending("overlay")).isSuccess)
          known.append(try costs(store))
          try #require(try shell(undo, directory: test.graph.appending("overlay")).isSuccess)
        }
      }
      for (small, large) in zip(known.prefix(3), known.suffix(3)) {
        // A longer chain is mounted in other steps.
        #expect(large.mounts <= small.mounts + 2, "\(known)")
        #expect(Double(large.reads) < 2.2 * Double(small.reads), "\(known)")
      }
    }
  #endif
}
