// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Owners above a mount point that a layer's ID maps do not have (cli 13.4, store-semantics 20).
@Suite("Parent owners", .tags(.root), .enabled(if: isRoot, "needs root to give files away")) struct ParentOwnersTests {
  private let map = ["--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"]
  /// Makes the overlay driver record maps as drivers that cannot shift owners do.
  private let unshifted = ["_CONTAINERS_OVERLAY_DISABLE_IDMAP": "yes"]

  @Test(.tags(.driver), arguments: Drivers.all)
  func `A mapped layer must be mounted; then the unmapped owners above it are shown`(driver: String) throws {
    let store = try CommandStore(driver)
    #expect(try store("create-layer", "--id", "l1").shows("l1\n"))
    #expect(try store.run(["create-layer", "--id", "l4"] + map, adding: unshifted).shows("l4\n"))
    let unmounted = "LayerParentOwner: layer is not mounted\n"
    #expect(try store("layer-parent-owners", "l4").shows(error: unmounted, status: 1))
    // What was found before the failure has been shown.
    #expect(
      try store("layer-parent-owners", "-j", "l1", "l4", "l1").shows(
        "{\"ID\":\"l1\",\"UIDs\":null,\"GIDs\":null}\n", error: unmounted, status: 1))
    #expect(try store("mount", "l4").isSuccess)
    #expect(try store("layer-parent-owners", "l1", "l4").shows("ID: l1\nID: l4\nUIDs: [0]\nGIDs: [0]\n"))
    #expect(
      try store("layer-parent-owners", "-j", "l4", "nope", "l1").shows(
        "{\"ID\":\"l4\",\"UIDs\":[0],\"GIDs\":[0]}\n{\"ID\":\"l1\",\"UIDs\":null,\"GIDs\":null}\n", status: 1))
    #expect(try store("layer-parent-owners", "nope").shows(status: 1))
    #expect(try store("unmount", "l4").isSuccess)
  }

  @Test func `Owners are those of directories and of symbolic links to them, each once, ascending`() throws {
    let store = try CommandStore("vfs")
    let real = store.directory.appending("real")
    try Syscall.mkdir(real, mode: 0o755)
    try Syscall.symlink(target: "real", at: FilePath(store.graphRoot))
    try Syscall.lchown(FilePath(store.graphRoot), uid: 9, gid: 100001)
    try Syscall.lchown(real, uid: 7, gid: 8)
    #expect(try store.run(["create-layer", "--id", "l1"] + map).isSuccess)
    #expect(try store("mount", "l1").isSuccess)
    #expect(try store("layer-parent-owners", "l1").shows("ID: l1\nUIDs: [0 7 9]\nGIDs: [0 8]\n"))
  }

  @Test func `A map that has everybody leaves nobody out, and a map of one kind tells of that kind only`() throws {
    let store = try CommandStore("vfs")
    #expect(try store("create-layer", "--id", "all", "--uidmap", "0:0:4294967295").isSuccess)
    #expect(try store("mount", "all").isSuccess)
    #expect(try store("layer-parent-owners", "all").shows("ID: all\n"))
    #expect(try store("create-layer", "--id", "uids", "--uidmap", "5:100000:1").isSuccess)
    #expect(try store("mount", "uids").isSuccess)
    // Without a group map all groups are as they are.
    #expect(try store("layer-parent-owners", "-j", "uids").shows("{\"ID\":\"uids\",\"UIDs\":[0],\"GIDs\":null}\n"))
  }

  @Test func `A mapped container must be mounted; empty lists are shown`() throws {
    let store = try CommandStore("vfs")
    #expect(try store("create-container", "--id", "c1", "").shows("c1\n"))
    #expect(try store.run(["create-container", "--id", "c5"] + map + [""]).shows("c5\n"))
    #expect(
      try store("container-parent-owners", "c5").shows(
        error: "ContainerParentOwner: layer is not mounted\n", status: 1))
    #expect(try store("mount", "c5").isSuccess)
    #expect(
      try store("container-parent-owners", "c5", "c1").shows(
        "ID: c5\nUIDs: [0]\nGIDs: [0]\nID: c1\nUIDs: []\nGIDs: []\n"))
    #expect(
      try store("container-parent-owners", "-j", "c1", "nope", "c5").shows(
        "{\"ID\":\"c1\",\"UIDs\":null,\"GIDs\":null}\n{\"ID\":\"c5\",\"UIDs\":[0],\"GIDs\":[0]}\n", status: 1))
  }
}
