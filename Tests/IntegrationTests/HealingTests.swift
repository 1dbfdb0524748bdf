// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Loading an image again makes whole what is recorded and damaged (podman 22655, 4264, 12854).
@Suite("Healing", .tags(.root), .enabled(if: isRoot, "overlay mounts need root")) struct HealingTests {
  private let archive = fixture("samples/sample-docker-archive.tar").string
  private let name = "localhost/healed:latest"

  private func makeStore(_ driver: String) throws -> CommandStore {
    let store = try CommandStore(driver)
    try #require(try store("load", "-q", "-n", name, archive).isSuccess)
    try #require(try store("create-container", "-n", "c", name).isSuccess)
    return store
  }

  /// The tree of the container as a list of names, modes, owners and contents.
  private func tree(_ store: CommandStore) throws -> String {
    let path = try store("mount", "c").outputText.dropLast()
    defer { _ = try? store("unmount", "c") }
    return try shell(
      "cd \(path) && find . -printf '%p %m %U %G %l\\n' | sort && find . -type f -exec sha256sum {} + | sort"
    )
    .outputText
  }

  private func layers(_ store: CommandStore) throws -> [String] {
    try store("layers", "-q").outputText.split(separator: "\n").map(String.init)
  }

  @Test(.tags(.driver), arguments: ["overlay", "vfs"])
  func `A layer that lost its tree gets it back, and what is built on it is whole`(driver: String) throws {
    let store = try makeStore(driver)
    let before = try tree(store)
    let base = try #require(try layers(store).first { try !store("layer", $0).outputText.contains("Parent: ") })
    let home = driver == "vfs" ? "vfs/dir" : driver
    try #require(try shell("rm -r \(store.graphRoot)/\(home)/\(base)").isSuccess)
    #expect(try store("check").status == .exited(1))
    #expect(try store("load", "-q", archive).isSuccess)
    #expect(try store("check").shows())
    #expect(try tree(store) == before)
  }

  @Test(arguments: ["gone", "empty", "nul", "cut"])
  func `A layer that lost its tar-split file gets it back`(damage: String) throws {
    let store = try makeStore("overlay")
    let files = "\(store.graphRoot)/overlay-layers/*.tar-split.gz"
    let before = try shell("sha256sum \(files)").outputText
    let change = [
      "gone": "rm $f", "empty": ": >$f", "nul": "head -c $(stat -c %s $f) /dev/zero >$f", "cut": "truncate -s -9 $f",
    ][damage]
    try #require(try shell("for f in \(files); do \(change ?? "false"); done").isSuccess)
    #expect(try store("load", "-q", archive).isSuccess)
    #expect(try shell("sha256sum \(files)").outputText == before)
    #expect(try store("check").shows())
  }

  @Test(arguments: ["gone", "empty", "nul"])
  func `Manifest and configuration of an image are made whole, and check tells that they are not`(damage: String) throws
  {
    let store = try makeStore("overlay")
    let files = "\(store.graphRoot)/overlay-images/*/*"
    let before = try shell("sha256sum \(files)").outputText
    let change = ["gone": "rm $f", "empty": ": >$f", "nul": "head -c $(stat -c %s $f) /dev/zero >$f"][damage]
    try #require(try shell("for f in \(files); do \(change ?? "false"); done").isSuccess)
    #expect(try store("check").status == .exited(1))
    #expect(try store("load", "-q", archive).isSuccess)
    #expect(try shell("sha256sum \(files)").outputText == before)
    #expect(try store("check").shows())
  }

  @Test func `Repair makes a damaged tar-split file again whose layer still gives its archive`() throws {
    let store = try CommandStore("overlay")
    let tree = try shell(
      "cd \(store.directory.path) && mkdir -p t/d && echo a >t/a && echo c >t/d/c && find t -exec touch -d @1600000000 {} +"
    )
    try #require(tree.isSuccess)
    // What the program itself writes, it can write again.
    let archive = store.directory.appending("own.tar").string
    try #require(try shell("tar -C \(store.directory.path)/t --owner=0 --group=0 -cf \(archive).0 a d").isSuccess)
    try #require(try store("import-layer", "-r", "--id", "first", "-f", archive + ".0").isSuccess)
    try #require(try run("rm", "\(store.graphRoot)/overlay-layers/first.tar-split.gz").isSuccess)
    try #require(try store("diff", "-u", "-f", archive, "first").isSuccess)
    try #require(try store("import-layer", "-r", "--id", "second", "-f", archive).isSuccess)
    try #require(try store("create-image", "second").isSuccess && store("delete-layer", "first").isSuccess)
    let file = FilePath("\(store.graphRoot)/overlay-layers/second.tar-split.gz")
    try file.write(try file.readBytes().map { _ in 0 })
    #expect(try store("check").status == .exited(1))
    #expect(try store("check", "--repair").isSuccess)
    #expect(try store("check").shows())
    try #require(try store("diff", "-u", "-f", archive + ".1", "second").isSuccess)
    #expect(try run("cmp", archive, archive + ".1").isSuccess)
  }

  @Test func `A layer whose tree the target of a move has lost is copied there again`() throws {
    let (store, other) = (try CommandStore("overlay"), try CommandStore("overlay"))
    let shared = ["--image-store", store.imageStore]
    let tar = store.directory.appending("t.tar").string
    try #require(try shell("cd \(store.directory.path) && echo a >a && tar -cf \(tar) a").isSuccess)
    try #require(try other.run(["import-layer"] + shared + ["-r", "--id", "base", "-f", tar]).isSuccess)
    try #require(try store("import-layer", "-r", "--id", "base", "-f", tar).isSuccess)
    try #require(try store("create-image", "--id", "mine", "base").isSuccess)
    try #require(try run("rm", "-r", "\(store.imageStore)/overlay/base").isSuccess)
    #expect(try store.run(["relocate", "-q", "--to", "image-store"] + shared + ["mine"]).isSuccess)
    #expect(FilePath("\(store.imageStore)/overlay/base/diff/a").exists)
    let records = try FilePath("\(store.imageStore)/overlay-layers/layers.json").readText()
    #expect(records.split(separator: "\"id\":\"base\"").count == 2 && !records.contains("stowage-owner"), "\(records)")
    #expect(try store.run(["check"] + shared + ["--max", "24h"]).shows())
  }
}
