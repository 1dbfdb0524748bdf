// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Stores that others own and we only read (on-disk-format 16).
@Suite("Additional image stores") struct AdditionalStoreTests {
  /// A store with an image `web`, to be used as an additional store by `test`.
  private func makeImage(_ test: TestStore, in root: FilePath) throws {
    let store = try test.open { options in
      options.graphRoot = root.string
      options.runRoot = test.place.appending("owner-run").string
      options.driverOptions = []
    }
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(try test.tar(["f": "content"]).string))
    _ = try store.images.create(ImageCreation(id: "image", names: ["web"], layer: "base"))
    _ = try? store.shutdown(force: true)
  }

  private func open(_ test: TestStore, _ root: FilePath) throws -> Store {
    try test.open { $0.driverOptions = ["\(test.driver).imagestore=\(root)"] }
  }

  /// Every file of a tree with mode, size, time of change and content.
  private func listing(_ root: FilePath) throws -> String {
    try shell("cd \(root) && find . -printf '%p %y %m %s %T@ %l\\n' | sort; find . -type f -exec sha256sum {} + | sort")
      .outputText
  }

  @Test(.tags(.root, .driver), .enabled(if: isRoot, "mounting needs root"), arguments: ["overlay", "vfs"])
  func `An image of an additional store is mounted read-only at a private place, counted and unmounted`(driver: String)
    throws
  {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let root = test.place.appending("a")
    try makeImage(test, in: root)
    let before = try listing(root)
    let store = try open(test, root)
    let path = FilePath(try store.mountImage("web"))
    #expect(path.starts(with: test.run))
    #expect(try path.appending("f").readText() == "content")
    #expect(throws: (any Error).self) { try path.appending("g").write("x") }
    #expect(try store.mountImage("web") == path.string)
    #expect(try store.unmountImage("web"))
    #expect(MountTable.isMountPoint(path))
    #expect(try !store.unmountImage("web"))
    #expect(!Syscall.exists(path))
    #expect(code { _ = try store.mount("base") } == .readOnlyStore)
    // Forgotten mounts end with the store.
    _ = try store.mountImage("web")
    #expect(code { try store.shutdown(force: true) } == .layerUsedByContainer)
    #expect(MountTable.mounts(below: test.run).isEmpty)
    #expect(try listing(root) == before)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `An image that was named here goes from here alone, and that is a success`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let root = test.place.appending("a")
    try makeImage(test, in: root)
    let before = try listing(root)
    let store = try open(test, root)
    _ = try store.addNames(["mine"], to: "web")
    #expect(try store.images.find("mine").record.names == ["mine", "web"])
    #expect(try store.images.delete("mine").isEmpty)
    #expect(try store.images.find("image").record.names == ["web"])
    #expect(try store.layers.list().map(\.id.rawValue) == ["base"])
    #expect(try listing(root) == before)
    _ = try? store.shutdown(force: true)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `A missing additional store is refused, an empty or half-made one is passed over; nothing is made there`(
    driver: String
  ) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    // A store that is not there is refused, with the reference's words.
    let missing = test.place.appending("missing")
    let text = message { _ = try open(test, missing) }
    #expect(text?.hasPrefix("\(driver): can't stat imageStore dir \(missing): ") == true)
    #expect(!Syscall.exists(missing))
    for name in ["empty", "half"] {
      let root = test.place.appending(name)
      try Syscall.mkdir(root, mode: 0o755)
      if name == "half" { try Syscall.mkdir(root.appending("\(driver)-layers"), mode: 0o700) }
      let before = try listing(root)
      let store = try open(test, root)
      _ = try store.layers.create(LayerCreation(id: "own-\(name)"))
      #expect(try store.images.list().isEmpty)
      #expect(try store.layers.find("own-\(name)").isReadOnly == false)
      #expect(try listing(root) == before)
      _ = try? store.shutdown(force: true)
    }
  }

  @Test(.tags(.root, .driver), .enabled(if: isRoot, "mounting needs root"), arguments: ["overlay", "vfs"])
  func `An additional store on a read-only file system is used, with and without lock files`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let root = test.place.appending("a")
    try makeImage(test, in: root)
    for command in ["true", "rm \(root)/\(driver)-*/*.lock"] {
      _ = try shell(command)
      #expect(try shell("mount --bind \(root) \(root) && mount -o remount,bind,ro \(root)").isSuccess)
      defer { _ = try? shell("umount \(root)") }
      let store = try open(test, root)
      #expect(try store.images.list().map(\.record.names) == [["web"]])
      let container = try store.containers.create(ContainerCreation(image: "web")).id.rawValue
      let text = try store.withMounted(container) { try FilePath($0).appending("f").readText() }
      #expect(text == "content")
      try store.containers.delete(container)
      _ = try? store.shutdown(force: true)
    }
  }

  @Test(.tags(.root), .enabled(if: isRoot, "needs another user"))
  func `An additional store that may not be read is refused by name`() throws {
    let test = try TestStore("vfs")
    defer { withExtendedLifetime(test) {} }
    let root = test.place.appending("a")
    try makeImage(test, in: root)
    _ = try shell("rm \(root)/vfs-layers/layers.lock && mkdir \(root)/vfs-layers/layers.lock")
    let store = try open(test, root)
    let text = message { _ = try store.layers.list() }
    #expect(text?.contains("\(root)/vfs-layers/layers.lock") == true)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `One store as graph root, image store and additional store at once is one place`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let link = test.place.appending("alias")
    try Syscall.mkdir(test.graph, mode: 0o700)
    try Syscall.symlink(target: test.graph.string, at: link)
    let store = try test.open { options in
      options.imageStore = link.string
      options.driverOptions = ["\(driver).imagestore=\(test.graph)", "\(driver).imagestore=\(link)"]
    }
    _ = try store.layers.create(LayerCreation(id: "base"))
    _ = try store.images.create(ImageCreation(id: "image", names: ["web"], layer: "base"))
    #expect(try store.layers.list().count == 1)
    #expect(try store.images.list().count == 1)
    #expect(try store.images.delete("web").map(\.rawValue) == ["base"])
  }
}
