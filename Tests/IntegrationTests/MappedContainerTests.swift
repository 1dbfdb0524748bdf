// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Containers whose image is shifted by the kernel, as versions until 1.63 record them and as later ones do (changes-1.65 1, 2).
@Suite("Mapped containers", .tags(.root), .enabled(if: isRoot, "owners, devices, mounts"))
struct MappedContainerTests {
  private let store: CommandStore

  init() throws {
    store = try CommandStore("overlay")
    let made = try shell(
      """
      mkdir -p base/etc base/gone top; echo a >base/etc/kept; echo b >base/etc/changed; chown 1:2 base/etc/changed
      mkdir base/private; chmod 700 base/private; : >base/gone/x; echo t >top/t; chown 7:8 top/t
      tar --numeric-owner -C base -cf base.tar .; tar --numeric-owner -C top -cf top.tar .
      """, directory: store.directory.path)
    #expect(made.isSuccess, "\(made)")
    for words in [
      ["import-layer", "-r", "--id", "base", "-f", store.directory.appending("base.tar").string],
      ["import-layer", "-r", "--id", "top", "-f", store.directory.appending("top.tar").string, "base"],
      ["create-image", "--id", "i1", "top"],
      ["create-container", "--id", "c1", "--uidmap", "0:100000:1000", "--gidmap", "0:200000:1000", "i1"],
    ] {
      let done = try store.run(words)
      #expect(done.isSuccess, "\(done)")
    }
  }

  private var layers: String { "\(store.graphRoot)/overlay-layers/layers.json" }

  /// The container's layer.
  private func layer() throws -> String {
    String(
      try run("jq", "-r", ".[0].layer", "\(store.graphRoot)/overlay-containers/containers.json").outputText.dropLast())
  }

  /// Rewrites the record of the container's layer as earlier versions have it, or back.
  private func record(_ filter: String) throws {
    let done = try shell(
      "jq '\(filter)' \(layers) >\(layers).new && mv \(layers).new \(layers)", directory: store.directory.path)
    #expect(done.isSuccess, "\(done)")
  }

  private func recordWithoutMaps() throws { try record("map(del(.uidmap, .gidmap))") }

  private func mounted<R>(_ body: (FilePath) throws -> R) throws -> R {
    let path = FilePath(String(try store("mount", "c1").outputText.prefix { $0 != "\n" }))
    defer { _ = try? store("unmount", "c1") }
    return try body(path)
  }

  /// What a program in the container does, with the IDs that the host gives it.
  private func work() throws {
    try mounted { path in
      let done = try shell(
        """
        echo more >>etc/changed; rm -r gone; mkdir new; chown 100005:200006 new; echo n >new/f; chown 100000:200000 new/f
        setfattr -n security.capability -v 0x0100000300040000000000000000000000000000a0860100 new/f
        """, directory: path)
      #expect(done.isSuccess, "\(done)")
    }
  }

  private func owners() throws -> [String] {
    try mounted { path in
      try shell("find . -mindepth 1 -printf '%P %U:%G\\n' | LC_ALL=C sort", directory: path).outputText
        .split(separator: "\n").map(String.init)
    }
  }

  /// The entries of the layer's diff: owner, name, capability.
  private func diff() throws -> [String] {
    let file = store.directory.appending("d.tar").string
    let done = try store.run(["diff", "-u", "-f", file, layer()])
    #expect(done.isSuccess, "\(done)")
    return try shell(
      """
      python3 -c 'import sys, tarfile
      for i in tarfile.open(sys.argv[1]):
          c = i.pax_headers.get("SCHILY.xattr.security.capability", "")
          print(f"{i.uid}:{i.gid}", i.name, c.encode("utf8", "surrogateescape").hex())' \(file)
      """
    ).outputText.split(separator: "\n").map { String($0.trimming(" ")) }
  }

  private let shown = [
    "etc 100000:200000", "etc/changed 100001:200002", "etc/kept 100000:200000", "new 100005:200006",
    "new/f 100000:200000",
    "private 100000:200000", "t 100007:200008",
  ]
  private let exported = [
    "0:0 etc", "1:2 etc/changed", "0:0 .wh.gone", "5:6 new", "0:0 new/f 0100000200040000000000000000000000000000",
  ]

  @Test func `Both forms of record are shown and exported alike: each layer by its own record, owners as inside`()
    throws
  {
    #expect(try run("jq", "-c", "map(.uidmap[0].host_id)", layers).outputText == "[null,null,100000]\n")
    try work()
    for isOld in [false, true] {
      if isOld { try recordWithoutMaps() }
      #expect(try owners() == shown)
      let entries = try diff()
      #expect(entries == exported)
      let changes = try store.run(["changes", layer()]).outputText.split(separator: "\n").sorted()
      #expect(
        changes == [
          #"Add "/new""#, #"Add "/new/f""#, #"Delete "/gone""#, #"Modify "/etc/changed""#,
        ])
      #expect(try store("check").isSuccess)
    }
  }

  @Test func `Compared with another layer than the parent, owners are those inside, too`() throws {
    try work()
    for isOld in [false, true] {
      if isOld { try recordWithoutMaps() }
      let changes = try store.run(["changes", layer(), "base"]).outputText.split(separator: "\n").sorted()
      #expect(
        changes == [
          #"Add "/new""#, #"Add "/new/f""#, #"Add "/t""#, #"Delete "/gone""#, #"Modify "/etc""#,
          #"Modify "/etc/changed""#,
        ], "\(isOld)")
    }
  }

  @Test func `What is copied or applied into the container gets its owners, by both forms`() throws {
    for isOld in [false, true] {
      if isOld { try recordWithoutMaps() }
      let name = "copied-\(isOld)"
      let file = store.directory.appending(name)
      try file.write("x")
      try Syscall.lchown(file, uid: 3, gid: 4)
      let copied = try store("copy", file.string, "\(layer()):/\(name)")
      #expect(copied.isSuccess, "\(copied)")
      #expect(try owners().contains("\(name) 100003:200004"))
    }
  }

  @Test func `An owner that the maps do not have is an error which names the object`() throws {
    let path = try "\(store.graphRoot)/overlay/\(layer())/diff/foreign"
    try FilePath(path).write("x")
    let done = try store.run(["diff", "-u", layer()])
    #expect(!done.isSuccess)
    #expect(done.errorText.contains("/foreign, which belongs to 0:0"), "\(done)")
  }

  @Test func `Without shifting the new form is refused, not shown with wrong owners`() throws {
    let refused = try store.run(["mount", "c1"], adding: MappedTree.unshifted)
    #expect(refused.errorText.contains("shifting not enabled"), "\(refused)")
  }
}

extension Substring {
  fileprivate func trimming(_ character: Character) -> Substring {
    var text = self
    while text.last == character { text.removeLast() }
    return text
  }
}
