// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// The same directories used in turn with Debian's `containers-storage` (version 1.43).
@Suite(
  "In turns with Debian's program", .tags(.root, .interop),
  .enabled(if: isRoot && commandExists("containers-storage"), "needs root and containers-storage"))
struct DebianTests {
  private func debian(_ test: TestStore, _ arguments: String...) throws -> String {
    let result = try run(
      ["containers-storage", "--graph", test.graph.string, "--run", test.run.string, "--storage-driver", test.driver]
        + arguments)
    if !result.isSuccess { throw StorageError(.system, "\(arguments): \(result)") }
    return result.outputText
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `What Debian's program made is read, changed and deleted`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let tar = try test.tar(["a": "1", "b": "2"], compress: "z")
    _ = try debian(test, "import-layer", "--id", "base", "-n", "name", "-f", tar.string)
    _ = try debian(test, "create-image", "--id", "i1", "-n", "img", "base")
    _ = try debian(test, "create-container", "--id", "c1", "-n", "web", "img")
    let store = try test.open()
    #expect(try store.layers.find("name").record.compression == .gzip)
    #expect(try store.images.find("img").record.layer?.rawValue == "base")
    let text = try store.withMounted("web") { try FilePath($0).appending("a").readText() }
    #expect(text == "1")
    let out = test.place.appending("out")
    do {
      let file = try Syscall.open(out, [.writeOnly, .create], mode: 0o600)
      try store.layers.diff(of: "base", compression: Compression.none, to: .descriptor(file.rawValue))
    }
    #expect(try out.readBytes() == shell("gzip -dc \(tar)").output)
    try store.containers.delete("web")
    #expect(try store.images.delete("img").map(\.rawValue) == ["base"])
    #expect(try debian(test, "layers").isEmpty)
    #expect(try debian(test, "images").isEmpty)
  }

  @Test func `A shutdown by another program does not stop a store that is open`() throws {
    let test = try TestStore("overlay")
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "one"))
    try store.withMounted("one") { try FilePath($0).appending("f").write("1") }
    let home = test.graph.appending("overlay")
    #expect(MountTable.isMountPoint(home))
    _ = try debian(test, "shutdown")
    #expect(!MountTable.isMountPoint(home))
    _ = try store.layers.create(LayerCreation(id: "two", parent: "one"))
    #expect(MountTable.isMountPoint(home))
    let text = try store.withMounted("two") { try FilePath($0).appending("f").readText() }
    #expect(text == "1")
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `What we made is read, exported and deleted by Debian's program`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let (base, child) = (try test.tar(["a": "1"]), try test.tar(["b": "2"], compress: "z"))
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(base.string))
    _ = try store.layers.put(LayerCreation(id: "child", parent: "base", names: ["top"]), diff: .file(child.string))
    _ = try store.images.create(
      ImageCreation(id: "i1", names: ["img"], layer: "child", bigData: [BigDataItem(key: "manifest", bytes: [65])]))
    let made = try store.containers.create(ContainerCreation(id: "c1", names: ["web"], image: "img"))
    let out = test.place.appending("out")
    _ = try debian(test, "diff", "-u", "-f", out.string, "child")
    #expect(try out.readBytes() == shell("gzip -dc \(child)").output)
    #expect(try debian(test, "get-image-data", "i1", "manifest") == "A")
    let path = try debian(test, "mount", "web").trimmingPrefix { $0 == "\n" }.prefix { $0 != "\n" }
    #expect(try FilePath(String(path)).appending("b").readText() == "2")
    #expect(try store.mountCount(of: "c1") == 1)
    #expect(try !store.unmount("web"))
    _ = try debian(test, "delete-container", "web")
    #expect(code { _ = try store.layers.find(made.layer.rawValue) } == .layerUnknown)
    _ = try debian(test, "delete-image", "img")
    #expect(try store.layers.list().isEmpty)
    #expect(try store.layers.listInDriver().isEmpty)
  }

  @Test func `Both work on one store at the same time without losing a layer`() throws {
    let test = try TestStore("vfs")
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let loop =
      "for i in 1 2 3 4 5 6 7 8 9 10; do containers-storage --graph \(test.graph) --run \(test.run) "
      + "--storage-driver vfs create-layer --id t$i || exit 1; done"
    let other = try start(["sh", "-c", loop])
    for number in 1...30 {
      _ = try store.layers.create(LayerCreation(id: "o\(number)"))
      try store.setMetadata("m", of: "o\(number)")
    }
    #expect(try other.wait().isSuccess)
    let expected = (1...30).map { "o\($0)" } + (1...10).map { "t\($0)" }
    #expect(Set(try store.layers.list().map(\.id.rawValue)) == Set(expected))
  }

  @Test func `An exclusive lock of ours keeps Debian's program out, and the reverse`() throws {
    let test = try TestStore("vfs")
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "a"))
    for name in ["layers/layers.lock", "images/images.lock", "containers/containers.lock"] {
      let lock = try Syscall.open(test.graph.appending("vfs-\(name)"), .readWrite)
      try Syscall.setlkw(lock.rawValue, .write)
      let theirs = try shell(
        "timeout 1 containers-storage --graph \(test.graph) --run \(test.run) --storage-driver vfs delete a")
      #expect(theirs.status == .exited(124), "\(name)")
      try Syscall.unlock(lock.rawValue)
    }
    #expect(try store.layers.list().count == 1)
  }
}
