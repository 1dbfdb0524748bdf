// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// `check` beyond the texts of `Tests/Checks`: what it compares, and what it must not claim or delete.
@Suite("Check command", .tags(.root), .enabled(if: isRoot, "overlay mounts need root"))
struct CheckCommandTests {
  /// A store with the layer `base` (files a, b and d/c), image `img` and container `ctr`.
  private func makeStore(_ driver: String) throws -> (store: CommandStore, tree: String) {
    let store = try CommandStore(driver)
    let made = try shell(
      """
      cd \(store.directory.path) && mkdir -p t/d && echo a >t/a && echo b >t/b && echo c >t/d/c && chmod 644 t/a t/b t/d/c
      chmod 755 t/d && find t -exec touch -d @1600000000 {} + && tar -C t --owner=0 --group=0 -cf t.tar .
      """)
    try #require(made.isSuccess, "\(made)")
    try #require(
      try store("import-layer", "-r", "--id", "base", "-f", store.directory.appending("t.tar").string).isSuccess)
    try #require(try store("create-image", "--id", "img", "base").isSuccess)
    try #require(try store("create-container", "--id", "ctr", "img").isSuccess)
    let home = driver == "vfs" ? "vfs/dir/base" : "\(driver)/base/diff"
    return (store, store.graphRoot + "/" + home)
  }

  /// What is said about the layer `base` itself, without what images and containers repeat.
  private func findings(_ store: CommandStore) throws -> [String] {
    let lines = try store("check").outputText.split(separator: "\n").map(String.init)
    let title = " layer base: "
    return lines.drop { $0 != "layer base:" }.dropFirst().prefix { $0.hasPrefix(title) }.map {
      String($0.dropFirst(title.count))
    }
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `A lost file shows in the digest, with its name`(driver: String) throws {
    let (store, tree) = try makeStore(driver)
    try #require(try shell("rm \(tree)/d/c").isSuccess)
    let shown = try findings(store)
    #expect(shown.contains { $0.hasPrefix("consume any trailer after the EOF marker: ") && $0.contains("d/c") })
    #expect(try store("check", "-f").isSuccess)
    #expect(try store("check").shows())
    #expect(!(try store("exists", "-l", "base").isSuccess))
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `Modes, owners and new files show although the archive can still be made`(driver: String) throws {
    let (store, tree) = try makeStore(driver)
    let change = try shell("cd \(tree) && chmod 600 a && chown 7:8 b && echo new >new && touch -d @1600000000 a b .")
    try #require(change.isSuccess, "\(change)")
    let modified = ", layer content modified"
    // In the order of what follows the first character (store-semantics 22.3).
    #expect(
      try findings(store) == [
        "+/a(mode:0644￫0600)\(modified)", "+/b(uid:0￫7,gid:0￫8)\(modified)", "+/new\(modified)",
        "/a(mode:0644￫0600)\(modified)", "/b(uid:0￫7,gid:0￫8)\(modified)",
      ])
    #expect(try store("check", "--quick").shows())
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `Other times alone are told, and nothing is deleted for them`(driver: String) throws {
    let (store, tree) = try makeStore(driver)
    try #require(try shell("touch -d @1600000005 \(tree)/a").isSuccess)
    let time = "/a(mtime:0x5f5e1000￫0x5f5e1005), layer content modified"
    #expect(try findings(store) == ["+" + time, time])
    let repaired = try store("check", "-f")
    #expect(repaired.status == .exited(1))
    #expect(try store("exists", "-l", "base").isSuccess)
    #expect(try store("exists", "-c", "ctr").isSuccess)
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `What is built on layers of an additional store is whole`(driver: String) throws {
    let (store, _) = try makeStore(driver)
    let own = try CommandStore(driver)
    let option = "\(driver).imagestore=\(store.graphRoot)"
    func run(_ words: String...) throws -> ProcessResult {
      try own.run([words[0], "--storage-opt", option] + words.dropFirst())
    }
    try #require(try run("create-container", "--id", "ours", "img").isSuccess)
    try #require(try run("create-layer", "-r", "--id", "child", "base").isSuccess)
    try #require(try run("create-image", "--id", "built", "child").isSuccess)
    #expect(try run("check").shows())
    #expect(try run("check", "-f").shows())
    #expect(try run("exists", "-i", "built").isSuccess)
    // Opened without the additional store, the parent is missing, and yet nothing is deleted that could be whole.
    _ = try own("check")
    #expect(try run("exists", "-c", "ours").isSuccess)
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `What another graph root needs is neither unreferenced nor deleted`(driver: String) throws {
    let (one, two) = (try CommandStore(driver), try CommandStore(driver))
    let shared = one.directory.appending("i").string
    func run(_ store: CommandStore, _ words: String...) throws -> ProcessResult {
      try store.run([words[0], "--image-store", shared] + words.dropFirst())
    }
    try #require(try run(one, "create-layer", "-r", "--id", "base").isSuccess)
    try #require(try run(two, "create-layer", "--id", "child", "base").isSuccess)
    try #require(try run(one, "create-layer", "-r", "--id", "alone").isSuccess)
    let checked = try run(one, "check", "--max", "0s")
    #expect(
      checked.outputText
        == "layer alone:\n layer alone: layer not referenced by any images or containers\n", "\(checked)")
    _ = try run(one, "check", "--max", "0s", "-f")
    #expect(try run(two, "exists", "-l", "base", "child").isSuccess)
    #expect(!(try run(one, "exists", "-l", "alone").isSuccess))
  }

  @Test(.tags(.driver, .slow), arguments: Drivers.all)
  func `Nothing is claimed while others work, and nobody waits for a check`(driver: String) throws {
    let (store, _) = try makeStore(driver)
    let big = store.directory.appending("big.tar").string
    try #require(try shell("cd \(store.directory.path) && truncate -s 400M z && tar -cf big.tar z").isSuccess)
    try #require(try store("import-layer", "-r", "--id", "big", "-f", big).isSuccess)
    try #require(try store("create-image", "--id", "large", "big").isSuccess)
    // On a busy machine a check can be over before anything else gets its turn.
    var (made, meanwhile) = (0, 0)
    for _ in 0..<10 where meanwhile == 0 {
      let checking = try store.start("check", "--max", "24h")
      while !(try checking.hasEnded()) {
        try #require(try store("create-layer", "--id", "l\(made)", "base").isSuccess)
        try #require(try store("create-image", "--id", "i\(made)", "l\(made)").isSuccess)
        try #require(try store("delete-image", "i\(made)").isSuccess)
        made += 1
        if !(try checking.hasEnded()) { meanwhile += 1 }
      }
      let result = try checking.wait()
      #expect(result.shows(), "\(result)")
    }
    #expect(meanwhile > 0, "none of \(made) images was made and deleted while a check was at work")
  }

  @Test(.tags(.root), .enabled(if: isRoot, "overlay mounts need root"))
  func `The directory of mounts for comparisons does not stay, nor one that an earlier version left`() throws {
    let store = try CommandStore("overlay", program: stowageExecutable(hasHooks: true).string)
    let place = FilePath(store.runRoot).appending("overlay-layers/private-mounts")
    let archive = store.directory.appending("t.tar").string
    #expect(try store.runOther(["tar", "-cf", archive, "-C", "/etc", "hostname"]).isSuccess)
    #expect(try store("import-layer", "-r", "-i", "base", "-f", archive).isSuccess)
    #expect(try store("import-layer", "-r", "-i", "top", "-f", archive, "base").isSuccess)
    try Syscall.mkdir(place, mode: 0o700)
    #expect(try store("layers").isSuccess && !place.exists)
    let trace = store.directory.appending("steps").string
    #expect(try store.run(["changes", "top", "base"], adding: ["STOWAGE_FAULT": "count=\(trace)"]).isSuccess)
    #expect(try store.run(["check"], adding: ["STOWAGE_FAULT": "count=\(trace)"]).isSuccess)
    #expect(try FilePath(trace).readText().contains("private-mounts"))
    #expect(!place.exists)
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `A container whose image is gone with all its data goes by force only`(driver: String) throws {
    let (store, _) = try makeStore(driver)
    try #require(try store("create-image", "--id", "other", "base").isSuccess)
    try store.editRecords(of: "images") { $0.replacing("\"id\":\"img\"", with: "\"id\":\"gone\"") }
    let checked = try store("check")
    #expect(checked.outputText == "container ctr:\n image img: image missing\n", "\(checked)")
    #expect(try store("check", "-r").status == .exited(1))
    #expect(try store("exists", "-c", "ctr").isSuccess)
    #expect(try store("check", "-r", "-f").isSuccess)
    #expect(try !store("exists", "-c", "ctr").isSuccess)
  }
}
