// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageFiles
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What garbage collection finds, deletes and spares (store-semantics 23, 27.1.13, 27.2.4).
@Suite("Garbage collection") struct CollectTests {
  typealias Split = SplitStoreTests.Split

  /// 64 hexadecimal digits that no record has.
  static func identifier(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return "f" + String(repeating: "0", count: 63 - digits.count) + digits
  }

  /// The directory of a layer.
  static func tree(_ id: String, _ root: FilePath, _ driver: String) -> FilePath {
    root.appending(driver == "vfs" ? "vfs/dir" : "overlay").appending(id)
  }

  /// Makes the tree of a layer that nobody recorded, as a process leaves it that dies after the driver's work.
  static func leak(_ id: String, _ root: FilePath, _ driver: String) throws {
    let tree = tree(id, root, driver)
    if driver == "vfs" {
      try makeDirectories(tree.appending("etc"), mode: 0o755)
      return try tree.appending("etc/passwd").write("root:x:0:0\n")
    }
    try makeDirectories(tree.appending("diff/etc"), mode: 0o755)
    try makeDirectories(tree.appending("work"), mode: 0o700)
    try tree.appending("diff/etc/passwd").write("root:x:0:0\n")
    try tree.appending("link").write("L\(id.suffix(25))")
    try Syscall.symlink(target: "../\(id)/diff", at: root.appending("overlay/l").appending("L\(id.suffix(25))"))
  }

  /// Everything below a directory with its content, but for what opening a store changes.
  static func fingerprint(_ root: FilePath) throws -> String {
    let result = try shell(
      "cd \(root) && find . -printf '%P %y %m %s %T@ %l\\n' | sort && find . -type f | sort | xargs sha256sum")
    try #require(result.isSuccess)
    return result.outputText
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `What an interrupted move left in one place goes, although the other place records the same`(
    driver: String
  ) throws {
    let split = try Split(SplitStoreTests.Case(driver: driver, place: .sameFileSystem))
    defer { withExtendedLifetime(split) {} }
    let store = try split.open()
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(try split.test.tar(["f": "content"]).string))
    let id = Self.identifier(7)
    _ = try store.images.create(
      ImageCreation(id: id, names: ["web"], layer: "base", bigData: [BigDataItem(key: "manifest", bytes: [1])]))
    _ = try store.layers.create(LayerCreation(id: "own", isWritable: true))
    let (graph, image) = (split.root("g"), split.image)
    try Self.leak("base", graph, driver)
    let copy = graph.appending("\(driver)-images").appending(id)
    try makeDirectories(copy.appending("userdata"), mode: 0o700)
    try copy.appending("manifest").write("\u{1}")
    let expected = [Self.tree("base", graph, driver).string, copy.appending("manifest").string]
    #expect(try Set(store.findLeftovers().leftovers.map(\.path)).isSuperset(of: expected))
    _ = try store.collectLeftovers()
    #expect(!expected.contains { FilePath($0).exists })
    #expect(copy.appending("userdata").exists && Self.tree("base", image, driver).exists)
    #expect(try store.check().isHealthy)
    #expect(try split.read("f", in: "base", store) == "content")
    #expect(try store.images.bigData("manifest", of: "web") == [1])
  }

  @Test(.tags(.driver, .slow), arguments: SplitStoreTests.Case.all)
  func `Trees, links and files without record go from graph root and image store, all that is recorded stays`(
    one: SplitStoreTests.Case
  ) throws {
    let split = try Split(one)
    defer { withExtendedLifetime(split) {} }
    let (driver, store) = (one.driver, try split.open())
    _ = try store.layers.put(
      LayerCreation(id: "base", bigData: [BigDataItem(key: "toc", bytes: [1])]),
      diff: .file(try split.test.tar(["f": "content"]).string))
    _ = try store.images.create(ImageCreation(id: "image", names: ["web"], layer: "base"))
    let container = try store.containers.create(ContainerCreation(id: "c", image: "web"))
    let digest = try split.diffDigest(of: "base", store)
    #expect(try store.collectLeftovers().leftovers == [])

    var expected: Set<String> = []
    for (number, root) in [split.root("g"), split.image].enumerated() {
      let id = Self.identifier(number)
      try Self.leak(id, root, driver)
      let data = root.appending("\(driver)-layers")
      try data.appending("\(id).tar-split.gz").write("old")
      let other = Self.identifier(number + 16)
      try makeDirectories(data.appending(other), mode: 0o700)
      try data.appending(other).appending("item").write("x")
      try data.appending("not-an-identifier.tar-split.gz").write("somebody's")
      expected.formUnion([
        Self.tree(id, root, driver).string, data.appending("\(id).tar-split.gz").string, data.appending(other).string,
      ])
      if driver == "overlay" {
        let link = root.appending("overlay/l/LLLLLLLLLLLLLLLLLLLLLLLLLL")
        try Syscall.symlink(target: "../\(other)/diff", at: link)
        expected.insert(link.string)
        let staging = root.appending("overlay/staging/7")
        try makeDirectories(staging.appending("dir"), mode: 0o700)
        try #require(try shell("touch -d '2 hours ago' \(staging)").isSuccess)
      }
    }
    let item = split.root("g").appending("\(driver)-containers").appending(Self.identifier(40))
    try makeDirectories(item.appending("userdata"), mode: 0o700)
    try makeDirectories(split.root("g").appending("\(driver)-containers/keep/userdata"), mode: 0o700)
    let torn = split.image.appending("\(driver)-images/image/.tmp-manifest12")
    try makeDirectories(torn.removingLastComponent(), mode: 0o700)
    try torn.write("half")
    expected.formUnion([item.string, torn.string])

    let found = try store.findLeftovers()
    #expect(Set(found.leftovers.map(\.path)) == expected)
    #expect(found.numberFreed == 0 && expected.allSatisfy { FilePath($0).exists })
    let report = try store.collectLeftovers()
    #expect(Set(report.leftovers.map(\.path)) == expected)
    #expect(report.numberFreed == expected.count)
    #expect(report.bytesFound == found.bytesFound && report.bytesFreed == report.bytesFound && report.bytesFound > 0)
    #expect(!expected.contains { FilePath($0).exists })
    #expect(try store.collectLeftovers().leftovers == [])

    #expect(split.root("g").appending("\(driver)-layers/not-an-identifier.tar-split.gz").exists)
    #expect(split.root("g").appending("\(driver)-containers/keep/userdata").exists)
    #expect(try store.layers.bigData("toc", of: "base") == [1])
    #expect(try split.diffDigest(of: "base", store) == digest)
    #expect(try split.read("f", in: container.id.rawValue, store) == "content")
  }

  @Test(.tags(.driver, .slow), arguments: testDrivers)
  func `Hundreds of layer directories without record are found, counted and deleted`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(try test.tar(["f": "content"]).string))
    for number in 0..<300 { try Self.leak(Self.identifier(number), test.graph, driver) }
    let measured = try shell("du -s --block-size=1 \(Self.tree("f", test.graph, driver).removingLastComponent())/f0*")
    let bytes = measured.outputText.split(separator: "\n").reduce(Int64(0)) { sum, line in
      sum + (Int64(line.prefix { $0.isNumber }) ?? 0)
    }
    let report = try store.collectLeftovers()
    #expect(report.leftovers.count { $0.kind == .layer && $0.isFreed } == 300)
    #expect(report.leftovers.count == 300)
    #expect(report.bytesFreed == bytes)
    #expect(try store.layers.listInDriver() == ["base"])
    if driver == "overlay" { #expect(try test.graph.appending("overlay/l").names().count == 1) }
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `A layer that any record names stays: parents, containers, images, the other mode, other graph roots`(
    driver: String
  ) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "own"))
    let document = test.graph.appending("\(driver)-layers/layers.json")
    let ids = (0..<4).map { Self.identifier($0) }
    for id in ids { try Self.leak(id, test.graph, driver) }
    // A record whose parent's record was lost, a container and an image without their layers, a transient layer.
    var text = try document.readText()
    text.replace("{\"id\":\"own\"", with: "{\"id\":\"own\",\"parent\":\"\(ids[0])\"")
    try document.write(text)
    try test.graph.appending("\(driver)-containers/containers.json").write(
      "[{\"id\":\"c\",\"layer\":\"\(ids[1])\",\"created\":\"2024-01-01T00:00:00Z\"}]")
    try test.graph.appending("\(driver)-images/images.json").write(
      "[{\"id\":\"i\",\"layer\":\"\(ids[2])\",\"created\":\"2024-01-01T00:00:00Z\"}]")
    let run = test.run.appending("\(driver)-layers/volatile-layers.json")
    try run.write("[{\"id\":\"\(ids[3])\",\"created\":\"2024-01-01T00:00:00Z\"}]")
    // What is named and has no record lost it; the transient layer is recorded elsewhere.
    let error = #expect(throws: StorageError.self) { try test.open().collectLeftovers() }
    #expect(error?.code == .corrupt)
    for id in ids { #expect(Self.tree(id, test.graph, driver).exists) }
    let restored = try test.open().restoreRecords()
    #expect(restored.map(\.made) == [3])
    #expect(try test.open().collectLeftovers().leftovers == [])
    try Syscall.unlink(FilePath(restored[0].kept))
    try Syscall.unlink(run)
    #expect(try test.open().collectLeftovers().leftovers.map(\.path) == [Self.tree(ids[3], test.graph, driver).string])
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Without a record file, or with an empty one, nothing is known to be left over`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    _ = try test.open().layers.put(LayerCreation(id: "own"), diff: .file(try test.tar(["f": "1"]).string))
    let document = test.graph.appending("\(driver)-layers/layers.json")
    for content in [nil, ""] {
      try? Syscall.unlink(document)
      if let content { try document.write(content) }
      let error = #expect(throws: StorageError.self) { try test.open().collectLeftovers() }
      #expect(error?.code == .corrupt)
      #expect(Self.tree("own", test.graph, driver).exists)
    }
    try document.write("[]")
    #expect(try test.open().collectLeftovers().leftovers.map(\.kind).contains(.layer))
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `What another graph root needs, and all of an additional store, is spared`(driver: String) throws {
    let shared = try DependentsTests.SharedStore(driver)
    defer { withExtendedLifetime(shared) {} }
    try shared.makeImage()
    let b = try shared.open("b")
    _ = try b.containers.create(ContainerCreation(names: ["mine"], image: "web"))
    // The record of the layer below the other root's container is lost.
    try shared.image.appending("\(driver)-layers/layers.json").write("[]")
    try shared.image.appending("\(driver)-images/images.json").write("[]")
    for store in [try shared.open("a"), try shared.openImageStore()] {
      #expect(code { _ = try store.collectLeftovers() } == .corrupt)
      #expect(Self.tree("base", shared.image, driver).exists)
    }
    // As an additional store nothing there is touched, whatever it looks like.
    try Self.leak(Self.identifier(1), shared.image, driver)
    let before = try Self.fingerprint(shared.image)
    let other = try shared.test.open { options in
      options.driverOptions = ["\(driver).imagestore=\(shared.image)"]
    }
    _ = try other.layers.create(LayerCreation(id: "own"))
    #expect(try other.collectLeftovers().leftovers == [])
    #expect(try Self.fingerprint(shared.image) == before)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Tar-split files of layers of an image store that is not configured now stay`(driver: String) throws {
    let split = try Split(SplitStoreTests.Case(driver: driver, place: .sameFileSystem))
    defer { withExtendedLifetime(split) {} }
    let id = Self.identifier(5)
    let store = try split.open()
    _ = try store.layers.put(LayerCreation(id: id), diff: .file(try split.test.tar(["f": "1"]).string))
    _ = try store.images.create(ImageCreation(id: "image", names: ["web"], layer: id))
    _ = try store.containers.create(ContainerCreation(image: "web"))
    let report = try split.open(split: false).collectLeftovers()
    #expect(report.leftovers == [])
    #expect(split.root("g").appending("\(driver)-layers/\(id).tar-split.gz").exists)
    #expect(try split.open().collectLeftovers().leftovers == [])
  }

  @Test func `Tar-split files in the image store are collected while the graph root has never had a layer`() throws {
    let split = try Split(SplitStoreTests.Case(driver: "vfs", place: .sameFileSystem))
    defer { withExtendedLifetime(split) {} }
    let store = try split.open()
    _ = try store.layers.put(
      LayerCreation(id: Self.identifier(5)), diff: .file(try split.test.tar(["f": "1"]).string))
    #expect(!split.root("g").appending("vfs-layers/layers.json").exists)
    // A program that knows nothing of these files leaves them when it deletes the layer.
    let stale = split.image.appending("vfs-layers/\(Self.identifier(6)).tar-split.gz")
    try stale.write("old")
    let doubtful = split.root("g").appending("vfs-layers/\(Self.identifier(6)).tar-split.gz")
    try doubtful.write("old")
    let report = try store.collectLeftovers()
    #expect(report.leftovers.map(\.path) == [stale.string] && !stale.exists && doubtful.exists)
    #expect(
      report.kept == [
        "1 files in \(doubtful.removingLastComponent()): there is no file yet that would record their layers"
      ])
  }

  @Test(.tags(.root), .enabled(if: isRoot))
  func `A tree without record that is mounted stays`() throws {
    let test = try TestStore("overlay")
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "own"))
    let id = Self.identifier(1)
    try Self.leak(id, test.graph, "overlay")
    let tree = Self.tree(id, test.graph, "overlay")
    try makeDirectories(tree.appending("merged"), mode: 0o700)
    try #require(
      try shell("mount -t overlay -o lowerdir=\(tree)/work,upperdir=\(tree)/diff,workdir=\(tree)/work x \(tree)/merged")
        .isSuccess
        || shell("mount --bind \(tree)/diff \(tree)/merged").isSuccess)
    let report = try store.collectLeftovers()
    #expect(report.leftovers == [] && report.kept == ["\(tree): it is mounted"])
    try Syscall.umount(tree.appending("merged"), flags: .detach)
    #expect(try store.collectLeftovers().leftovers.map(\.path) == [tree.string])
  }
}
