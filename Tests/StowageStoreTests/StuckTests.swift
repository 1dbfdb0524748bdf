// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

/// What is wrong with one thing keeps nobody from using the others.
@Suite("Others go on") struct StuckTests {
  private func prepared(_ driver: String = "vfs") throws -> (TestStore, Store) {
    let test = try TestStore(driver)
    let store = try test.open()
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(try test.tar(["file": "text"]).string))
    _ = try store.images.create(ImageCreation(id: "i", names: ["img"], layer: "base"))
    return (test, store)
  }

  @Test(
    .tags(.root, .driver), .enabled(if: isRoot, "the immutable attribute and mounts need root"), arguments: testDrivers)
  func `A layer whose directory cannot be moved is told, and deleted when it can`(driver: String) throws {
    let (test, store) = try prepared(driver)
    defer { withExtendedLifetime(test) {} }
    let layers = try ["one", "two", "three"].map {
      try store.containers.create(ContainerCreation(id: $0, image: "img")).layer.rawValue
    }
    let trees = layers.map { CollectTests.tree($0, test.graph, driver) }
    try #require(try shell("chattr +i \(trees[0]) && mount --bind \(trees[1]) \(trees[1])").isSuccess)
    defer { _ = try? shell("chattr -i \(trees[0]); umount \(trees[1])") }
    for (name, tree) in zip(["one", "two"], trees) {
      let text = message { try test.open().containers.delete(name) } ?? "no failure"
      #expect(text.contains("\(tree)") && text.contains("chattr"), "\(text)")
    }
    #expect(try test.open().layers.list().count == 4)
    try test.open().containers.delete("three")
    _ = try test.open().containers.create(ContainerCreation(id: "four", image: "img"))
    let report = try test.open().collectLeftovers()
    for tree in trees.dropLast() { #expect(report.undeletable.contains { $0.contains("\(tree)") }, "\(report)") }
    try #require(try shell("chattr -i \(trees[0]) && umount \(trees[1])").isSuccess)
    #expect(try test.open().layers.list().count == 2)
    #expect(!trees[0].exists && !trees[1].exists)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Mount counts that are cut off count as far as they can be read`(driver: String) throws {
    let (test, store) = try prepared(driver)
    defer { withExtendedLifetime(test) {} }
    for name in ["one", "two"] { _ = try store.containers.create(ContainerCreation(id: name, image: "img")) }
    let paths = try ["one", "two"].map { try store.mount($0) }
    let file = test.run.appending("\(driver)-layers/mountpoints.json")
    try file.write(Array(try file.readBytes().dropLast(9)))
    let other = try test.open()
    #expect(try ["one", "two"].map { try other.mountCount(of: $0) }.sorted() == [0, 1])
    for (name, path) in zip(["one", "two"], paths) {
      #expect(try other.mount(name) == path)
      while try other.unmount(name) {}
    }
    #expect(try file.readText() == "[]")
    #expect(MountTable.mounts(below: test.graph).allSatisfy { !$0.string.hasSuffix("/merged") })
  }

  @Test func `What is deleted during a check is no failure of it`() throws {
    let (test, store) = try prepared()
    defer { withExtendedLifetime(test) {} }
    let other = try test.open()
    let isDone = Mutex(false)
    let report = try store.check {
      isDone.withLock { isDone in
        if isDone { return false }
        isDone = true
        do { _ = try other.images.delete("i") } catch { Issue.record(error) }
        return false
      }
    }
    #expect(report.layers.isEmpty && report.images.isEmpty, "\(report)")
  }
}
