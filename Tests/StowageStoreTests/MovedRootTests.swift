// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Graph roots that get another path, and copies of them (podman 27380, 11928).
@Suite("Moved graph roots") struct MovedRootTests {
  private typealias SharedStore = DependentsTests.SharedStore

  /// Image `web` and a container `mine` of graph root `b`, which is closed.
  private func shared(_ driver: String) throws -> SharedStore {
    let shared = try SharedStore(driver)
    try shared.makeImage()
    let b = try shared.open("b")
    _ = try b.containers.create(ContainerCreation(names: ["mine"], image: "web"))
    try b.shutdown(force: false)
    return shared
  }

  private func content(_ store: Store) throws -> String {
    try store.withMounted("mine") { root in try FilePath(root).appending("f").readText() }
  }

  private func registration(_ shared: SharedStore) throws -> String {
    let names = try shared.registrations()
    try #require(names.count == 1)
    return try shared.image.appending("\(shared.test.driver)-layers/dependents.d").appending(names[0]).readText()
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `A graph root that was renamed keeps what it needs, before it is opened again and after`(driver: String) throws {
    let shared = try shared(driver)
    defer { withExtendedLifetime(shared) {} }
    try Syscall.rename(shared.root("b"), shared.root("moved"))
    let a = try shared.open("a")
    for _ in 0..<2 { #expect(code { _ = try a.images.delete("web") } == .imageUsedByContainer) }
    let moved = try shared.open("moved")
    #expect(try content(moved) == "content")
    // Any access that may change layers leads the registration here; then it is exact again.
    #expect(try registration(shared).contains(#""graph-root":"\#(shared.root("moved"))""#))
    let user = "container \"mine\" of graph root \(shared.root("moved"))"
    #expect(message { _ = try a.images.delete("web") } == "image used by \(user): image is in use by a container")
    try moved.containers.delete("mine")
    #expect(try shared.registrations() == [])
    #expect(try a.images.delete("web").map(\.rawValue) == ["base"])
  }

  @Test func `A copy of a graph root gets a registration of its own, and the original keeps its`() throws {
    let shared = try shared("vfs")
    defer { withExtendedLifetime(shared) {} }
    #expect(try shell("cp -a \(shared.root("b")) \(shared.root("copy"))").isSuccess)
    let copy = try shared.open("copy")
    #expect(try copy.relocateRoot(isDryRun: true).registration == .separated(from: shared.root("b").string))
    #expect(try copy.relocateRoot().registration == .separated(from: shared.root("b").string))
    #expect(try shared.registrations().count == 2)
    try copy.containers.delete("mine")
    #expect(try registration(shared).contains(#""graph-root":"\#(shared.root("b"))""#))
    let a = try shared.open("a")
    #expect(code { _ = try a.images.delete("web") } == .imageUsedByContainer)
    #expect(try content(shared.open("b")) == "content")
  }

  @Test func `What may be a copy takes nothing away from a registration until it is said to be the moved one`() throws {
    let shared = try shared("vfs")
    defer { withExtendedLifetime(shared) {} }
    try Syscall.rename(shared.root("b"), shared.root("moved"))
    let name = try #require(try shared.registrations().last)
    let file = shared.image.appending("vfs-layers/dependents.d").appending(name)
    let nowhere = shared.root("nowhere").string
    try file.write(
      try file.readText().replacing(#/"mount-point":"[^"]*"/#, with: #""mount-point":"\#(nowhere)""#))
    let moved = try shared.open("moved")
    _ = try moved.layers.create(LayerCreation(id: "second", parent: "base", isWritable: true))
    try moved.layers.delete("second")
    try moved.containers.delete("mine")
    #expect(try file.readText().contains(#""graph-root":"\#(shared.root("b"))""#))
    let a = try shared.open("a")
    #expect(code { _ = try a.images.delete("web") } == .imageUsedByContainer)
    #expect(try moved.relocateRoot().registration == .led(from: shared.root("b").string))
    // Nothing there needs anything.
    #expect(try shared.registrations() == [])
    #expect(try a.images.delete("web").map(\.rawValue) == ["base"])
  }

  @Test func `A damaged identifier stops deletions, and relocate-root finds the registration again`() throws {
    let shared = try shared("vfs")
    defer { withExtendedLifetime(shared) {} }
    let before = try registration(shared)
    let identity = shared.root("b").appending("vfs-layers/graph-root-id")
    try identity.write("")
    let b = try shared.open("b")
    #expect(message { _ = try b.images.delete("web") }?.contains("relocate-root") == true)
    #expect(try b.relocateRoot().registration == .made)
    #expect(try b.relocateRoot().registration == .kept)
    #expect(try registration(shared) == before)
    #expect(try shared.registrations() == ["\(identity.readText()).json"])
  }

  @Test func `Registration and identifier end with the last use, and after wiping`() throws {
    let shared = try shared("vfs")
    defer { withExtendedLifetime(shared) {} }
    let identity = shared.root("b").appending("vfs-layers/graph-root-id")
    #expect(identity.exists)
    try shared.open("b").containers.delete("mine")
    #expect(!identity.exists && !shared.image.appending("vfs-layers/dependents.d").exists)
    let b = try shared.open("b")
    _ = try b.containers.create(ContainerCreation(names: ["mine"], image: "web"))
    #expect(identity.exists)
    try b.wipe()
    #expect(!identity.exists && !shared.image.appending("vfs-layers/dependents.d").exists)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `A graph root is moved with all that leads to it, and nothing is made at the old path`(driver: String) throws {
    let shared = try shared(driver)
    defer { withExtendedLifetime(shared) {} }
    let (old, new) = (shared.root("b"), shared.root("new"))
    let b = try shared.open("b")
    let plan = try b.moveRoot(to: new.string, isDryRun: true)
    #expect(plan.movedFrom == old.string && old.exists && !new.exists)
    try Syscall.mkdir(new, mode: 0o700)
    try new.appending("f").write("")
    #expect(code { _ = try b.moveRoot(to: new.string) } == .usage)
    try Syscall.unlink(new.appending("f"))
    let path = try b.mount("mine")
    #expect(message { _ = try b.moveRoot(to: new.string) }?.contains("is mounted at \(path)") == true)
    try b.unmount("mine")
    #expect(try b.moveRoot(to: new.string).graphRoot == new.string)
    #expect(!old.exists)
    #expect(try registration(shared).contains(#""graph-root":"\#(new)""#))
    #expect(code { _ = try shared.open("a").images.delete("web") } == .imageUsedByContainer)
    #expect(try content(shared.open("new")) == "content")
  }

  @Test(.tags(.root), .enabled(if: isRoot, "mounting needs root"))
  func `Records of mounts that ended with a move are dropped, and who uses the root as image store is told`() throws {
    let shared = try shared("overlay")
    defer { withExtendedLifetime(shared) {} }
    let images = try shared.openImageStore()
    #expect(try images.relocateRoot().dependents == [shared.root("b").string])
    let b = try shared.open("b")
    let path = try b.mount("mine")
    try Syscall.umount(FilePath(path))
    #expect(try b.relocateRoot(isDryRun: true).endedMounts == [path])
    #expect(try b.relocateRoot().endedMounts == [path])
    #expect(try b.relocateRoot().endedMounts == [])
    #expect(try b.shutdown(force: false) == [])
  }
}
