// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Images for containers with ID maps (store-semantics 11.2, configuration-and-idmaps 13, 17, 18).
@Suite("Mapped layers", .tags(.root), .enabled(if: isRoot, "owners, devices, mounts"))
struct MappedLayerTests {
  private let unshifted = MappedTree.unshifted

  /// Image `i1` over layers `top` and `base`.
  private func makeStore(_ driver: String) throws -> (CommandStore, MappedTree) {
    let store = try CommandStore(driver)
    let tree = try MappedTree(in: store.directory.path)
    #expect(try store("import-layer", "-r", "--id", "base", "-f", tree.base.string).isSuccess)
    #expect(try store("import-layer", "-r", "--id", "top", "-f", tree.top.string, "base").isSuccess)
    #expect(try store("create-image", "--id", "i1", "-n", "img", "top").isSuccess)
    return (store, tree)
  }

  private func make(_ container: String, _ maps: [String], in store: CommandStore, by program: String? = nil) throws {
    var words = store.words(["create-container", "--id", container] + maps + ["i1"])
    if let program { words[0] = program }
    let made = try run(words, adding: store.environment.merging(unshifted) { $1 })
    #expect(made.isSuccess, "\(made)")
  }

  /// Something of a record file, by jq.
  private func query(_ filter: String, _ kind: String, of store: CommandStore) throws -> String {
    let shown = try run("jq", "-rc", filter, "\(store.graphRoot)/\(store.driver)-\(kind)/\(kind).json")
    #expect(shown.isSuccess, "\(shown)")
    return String(shown.outputText.dropLast())
  }

  /// Debian's program does not know the variable that forbids shifting, but it heeds the cached answer of the probe.
  private func forbidShifting(in store: CommandStore) throws {
    let answers = FilePath(store.runRoot).appending("overlay")
    for path in [FilePath(store.runRoot), answers] where !Syscall.exists(path) { try Syscall.mkdir(path, mode: 0o700) }
    try answers.appending("idmapped-lower-dir-false").write("")
    if Syscall.exists(answers.appending("idmapped-lower-dir-true")) {
      try Syscall.unlink(answers.appending("idmapped-lower-dir-true"))
    }
  }

  private func mount(_ name: String, in store: CommandStore, by program: String? = nil) throws -> FilePath {
    var words = store.words(["mount", name])
    if let program { words[0] = program }
    let mounted = try run(words, adding: store.environment.merging(unshifted) { $1 })
    #expect(mounted.isSuccess, "\(mounted)")
    return FilePath(String(mounted.outputText.prefix { $0 != "\n" }))
  }

  private func expect(_ path: FilePath, _ expected: [String], _ location: SourceLocation = #_sourceLocation) throws {
    let differences = try MappedTree.differences(path, expected)
    #expect(differences == [], sourceLocation: location)
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `A mapped copy of the top layer has the owners of the maps and everything else of the image`(driver: String)
    throws
  {
    let (store, tree) = try makeStore(driver)
    try make("c1", MappedTree.options, in: store)
    let copy = try query(".[0][\"mapped-layers\"] | join(\" \")", "images", of: store)
    #expect(copy.count == 64)
    let filter =
      "[.parent, .uidmap, .gidmap, .flags, .names, (has(\"diff-digest\")), (has(\"compressed-diff-digest\"))]"
    #expect(
      try query(".[] | select(.id == \"\(copy)\") | \(filter)", "layers", of: store)
        == #"["base",[{"container_id":0,"host_id":100000,"size":1000}],[{"container_id":0,"host_id":200000,"size":1000}],"#
        + "null,null,true,true]")
    let own = try query(".[0].layer", "containers", of: store)
    #expect(
      try query(
        ".[] | select(.id == \"\(own)\") | [.parent, .uidmap[0].host_id, .gidmap[0].host_id]", "layers", of: store)
        == "[\"\(copy)\",100000,200000]")
    let path = try mount("c1", in: store)
    try expect(path, tree.mapped())
    let root = try Syscall.stat(path)
    #expect((root.uid, root.gid) == (100_000, 200_000))
    // The image itself is as before.
    try expect(mount("top", in: store), MappedTree.listing(tree.whole))
    #expect(try store("unmount", "c1", "top").isSuccess)
  }

  @Test(.tags(.interop, .driver), arguments: Drivers.all)
  func `The diff of a mapped copy is the imported archive, byte for byte`(driver: String) throws {
    let (store, tree) = try makeStore(driver)
    try make("c1", MappedTree.options, in: store)
    let copy = try query(".[0][\"mapped-layers\"][0]", "images", of: store)
    let digest = try query(".[] | select(.id == \"\(copy)\") | .[\"diff-digest\"]", "layers", of: store)
    for program in [store.program] + (commandExists("containers-storage") ? ["containers-storage"] : []) {
      let out = store.directory.appending("out")
      var words = store.words(["diff", "-u", "-f", out.string, copy])
      words[0] = program
      let shown = try run(words, adding: store.environment.merging(unshifted) { $1 })
      #expect(shown.isSuccess, "\(shown)")
      #expect(try "sha256:" + run("sha256sum", out.string).outputText.prefix(64) == digest)
      #expect(try out.readBytes() == tree.top.readBytes())
    }
    // Compared as trees, the parent differs in what the layer brings, and in the file whose owner the maps do not have.
    let changes = try store.run(["changes", copy], adding: unshifted)
    let lines = changes.outputText.split(separator: "\n").sorted()
    #expect(lines == ["Add \"/added\"", "Delete \"/gone\"", "Modify \"/high\""])
  }

  @Test(.tags(.driver, .slow), arguments: Drivers.all)
  func `Equal maps share a copy, others get their own, and all go with the image`(driver: String) throws {
    let (store, _) = try makeStore(driver)
    let other = ["--uidmap", "0:300000:1000", "--gidmap", "0:300000:1000"]
    for (name, maps) in [("c1", MappedTree.options), ("c2", MappedTree.options), ("c3", other), ("c4", [])] {
      try make(name, maps, in: store)
    }
    #expect(try query(".[0][\"mapped-layers\"] | length", "images", of: store) == "2")
    let filter = ".[] | select(.parent != \"base\" and .parent != null) | .parent"
    let parents = try query(filter, "layers", of: store).split(separator: "\n")
    let copies = try query(".[0][\"mapped-layers\"][]", "images", of: store).split(separator: "\n")
    #expect(parents == [copies[0], copies[0], copies[1], "top"])
    for name in ["c1", "c2", "c3", "c4"] { #expect(try store("delete-container", name).isSuccess) }
    #expect(try store("delete-image", "i1").isSuccess)
    #expect(try store("layers").outputText == "")
    #expect(try store("storage-layers").outputText == "")
  }

  @Test(.tags(.driver, .slow), arguments: Drivers.all)
  func `A copy outlives the layer that it was made from: nothing of it is shared`(driver: String) throws {
    let (store, tree) = try makeStore(driver)
    try make("c1", MappedTree.options, in: store)
    #expect(try store("delete", "top").isSuccess)
    try expect(mount("c1", in: store), tree.mapped())
    #expect(try store("unmount", "c1").isSuccess)
  }

  @Test(.tags(.slow))
  func `Where the kernel shifts owners nothing is copied, and the disable variable is heeded per container`() throws {
    let (store, tree) = try makeStore("overlay")
    #expect(try store.run(["create-container", "--id", "c1"] + MappedTree.options + ["i1"]).isSuccess)
    #expect(try query(".[0][\"mapped-layers\"]", "images", of: store) == "null")
    // Only the container's own layer says that it has the owners of the maps on disk (changes-1.65 1).
    #expect(try query("map(select(has(\"uidmap\"))) | length", "layers", of: store) == "1")
    #expect(try query(".[0].uidmap[0].host_id", "containers", of: store) == "100000")
    let path = FilePath(String(try store("mount", "c1").outputText.prefix { $0 != "\n" }))
    // A copy-up takes the shifted owner along.
    #expect(try shell("echo more >> \(path)/own").isSuccess)
    let own = try query(".[0].layer", "containers", of: store)
    let diff = FilePath(store.graphRoot).appending("overlay/\(own)/diff/own")
    #expect(try Syscall.lstat(diff).uid == 100_050)
    #expect(try Syscall.lstat(diff).gid == 200_060)
    // The kernel ties a capability to the namespace's root: version 3 of the attribute, with 100000 at its end.
    let expected = try tree.mapped().map {
      $0.replacing(
        "=0x0100000200000000000000000000000000000000", with: "=0x0100000300000000000000000000000000000000a0860100")
    }
    let differences = try MappedTree.differences(path, expected)
    #expect(differences.allSatisfy { $0.hasPrefix("own|") }, "\(differences)")
    #expect(try store("unmount", "c1").isSuccess)
    // Without shifting it cannot be shown; one made without is shown with and without.
    let refused = try store.run(["mount", "c1"], adding: unshifted)
    #expect(refused.errorText.contains("cannot mount layer \(own): shifting not enabled"), "\(refused)")
    try make("c2", MappedTree.options, in: store)
    for variables in [[:], unshifted] {
      let mounted = try store.run(["mount", "c2"], adding: variables)
      let path = FilePath(String(mounted.outputText.prefix { $0 != "\n" }))
      try expect(path, tree.mapped())
      #expect(try store.run(["unmount", "c2"], adding: variables).isSuccess)
    }
  }

  @Test(
    .tags(.interop, .driver, .slow), .enabled(if: commandExists("containers-storage"), "needs containers-storage"),
    arguments: Drivers.all)
  func `Debian's program mounts a container on our mapped copy, shares the copy, and deletes it`(driver: String) throws
  {
    let (store, tree) = try makeStore(driver)
    try forbidShifting(in: store)
    try make("c1", MappedTree.options, in: store)
    try make("c2", MappedTree.options, in: store, by: "containers-storage")
    #expect(try query(".[0][\"mapped-layers\"] | length", "images", of: store) == "1")
    for name in ["c1", "c2"] {
      try expect(mount(name, in: store, by: "containers-storage"), tree.mapped())
      #expect(try store.run(["unmount", name], adding: unshifted).isSuccess)
    }
    for words in [["delete-container", "c1"], ["delete-container", "c2"], ["delete-image", "i1"]] {
      let ended = try run(["containers-storage"] + store.words(words).dropFirst(), adding: store.environment)
      #expect(ended.isSuccess, "\(ended)")
    }
    #expect(try store("storage-layers").outputText == "")
  }

  @Test(
    .tags(.interop, .driver, .slow), .enabled(if: commandExists("containers-storage"), "needs containers-storage"),
    arguments: Drivers.all)
  func `A mapped copy made by Debian's program is used and exported`(driver: String) throws {
    let (store, tree) = try makeStore(driver)
    try forbidShifting(in: store)
    try make("c1", MappedTree.options, in: store, by: "containers-storage")
    try make("c2", MappedTree.options, in: store)
    #expect(try query(".[0][\"mapped-layers\"] | length", "images", of: store) == "1")
    let copy = try query(".[0][\"mapped-layers\"][0]", "images", of: store)
    for name in ["c1", "c2"] {
      let shown = try MappedTree.listing(mount(name, in: store, by: "containers-storage"))
      #expect(try store.run(["unmount", name], adding: unshifted).isSuccess)
      try expect(mount(name, in: store), shown)
      #expect(shown.contains { $0.hasPrefix("own|f|2755|100050:200060|") })
      #expect(try store("unmount", name).isSuccess)
    }
    let out = store.directory.appending("out")
    let shown = try store.run(["diff", "-u", "-f", out.string, copy], adding: unshifted)
    #expect(shown.isSuccess, "\(shown)")
    #expect(try out.readBytes() == tree.top.readBytes())
  }
}
