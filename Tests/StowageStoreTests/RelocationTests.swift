// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Images moved between graph root and image store.
@Suite("Relocation of images") struct RelocationTests {
  typealias Case = SplitStoreTests.Case
  typealias Split = SplitStoreTests.Split

  /// A graph root with images `a` (base, mid) and `b` (base, top), made without an image store.
  private func fill(_ split: Split) throws -> [String: String] {
    let store = try split.open(split: false)
    var digests: [String: String] = [:]
    for (id, parent) in [("base", nil), ("mid", "base"), ("top", "base")] as [(String, String?)] {
      let tar = try split.test.tar([id: "content of \(id)"])
      _ = try store.layers.put(LayerCreation(id: id, parent: parent), diff: .file(tar.string))
      digests[id] = "sha256:" + (try shell("sha256sum < \(tar)").outputText.prefix(64))
    }
    for (image, layer) in [("a", "mid"), ("b", "top")] {
      _ = try store.images.create(ImageCreation(id: image, names: ["name-\(image)"], layer: layer))
      try store.images.setBigData("key", bytes: Array(image.utf8), of: image)
    }
    return digests
  }

  private func layers(_ split: Split, _ root: FilePath) throws -> Set<String> {
    let home = root.appending(split.driver == "overlay" ? "overlay" : "vfs/dir")
    let known: Set<String> = ["l", "staging", "tempdirs", ".has-mount-program", "backingFsBlockDev"]
    return Set(try Syscall.directoryNames(home).map { String(decoding: $0, as: UTF8.self) }).subtracting(known)
  }

  @Test(.tags(.driver, .slow), arguments: Case.all)
  func `All images move into the image store and back, with their digests, names and items`(one: Case) throws {
    let split = try Split(one)
    defer { withExtendedLifetime(split) {} }
    let digests = try fill(split)
    let store = try split.open()
    for target in [RelocationTarget.imageStore, .graphRoot] {
      let plan = try store.images.relocate(to: target, isDryRun: true)
      #expect(plan.images.map(\.id.rawValue).sorted() == ["a", "b"])
      let done = try store.images.relocate(to: target)
      #expect(done.layers.map(\.id.rawValue).sorted() == ["base", "mid", "top"])
      #expect(done.layers.first?.id.rawValue == "base")
      #expect(done.layers.allSatisfy { $0.isCopied && $0.remains == nil })
      #expect(try layers(split, split.image) == (target == .imageStore ? ["base", "mid", "top"] : []))
      #expect(try layers(split, split.root("g")) == (target == .graphRoot ? ["base", "mid", "top"] : []))
      let plain = try split.test.open { options in
        options.graphRoot = (target == .imageStore ? split.image : split.root("g")).string
        options.runRoot = split.root("run-plain").string
      }
      for view in [store, plain] {
        #expect(try view.images.list().map(\.id.rawValue) == ["a", "b"])
        #expect(try view.images.find("name-b").id.rawValue == "b")
        #expect(try view.images.bigData("key", of: "a") == Array("a".utf8))
        for (id, digest) in digests { #expect(try split.diffDigest(of: id, view) == digest) }
        let path = FilePath(try view.mountImage("a"))
        #expect(try path.appending("mid").readText() == "content of mid")
        #expect(try path.appending("base").readText() == "content of base")
        try view.unmountImage("a")
      }
      #expect(try store.images.relocate(to: target).images.isEmpty)
      _ = try? plain.shutdown(force: true)
    }
    #expect(try store.images.delete("a").map(\.rawValue) == ["mid"])
    #expect(try store.images.delete("b").map(\.rawValue) == ["top", "base"])
    #expect(try store.layers.list().isEmpty)
  }

  @Test(.tags(.driver, .slow), arguments: Case.all)
  func `A layer that another image of the source needs stays there, too`(one: Case) throws {
    let split = try Split(one)
    defer { withExtendedLifetime(split) {} }
    _ = try fill(split)
    let store = try split.open()
    let done = try store.images.relocate(["name-a"], to: .imageStore)
    #expect(done.layers.map(\.remains) == ["used by image \"name-b\"", nil])
    #expect(try layers(split, split.image) == ["base", "mid"])
    #expect(try layers(split, split.root("g")) == ["base", "top"])
    for name in ["a", "b"] {
      let path = FilePath(try store.mountImage(name))
      #expect(try path.appending("base").readText() == "content of base")
      try store.unmountImage(name)
    }
    // The rest follows.
    _ = try store.images.relocate(to: .imageStore)
    #expect(try layers(split, split.root("g")).isEmpty)
  }

  @Test(.tags(.driver), arguments: Case.all)
  func `Wiping takes both copies of a layer that two places have`(one: Case) throws {
    let split = try Split(one)
    defer { withExtendedLifetime(split) {} }
    _ = try fill(split)
    let store = try split.open()
    _ = try store.images.relocate(["name-a"], to: .imageStore)
    try store.wipe()
    for root in [split.image, split.root("g")] {
      #expect(try layers(split, root).isEmpty)
      #expect(try root.appending("\(one.driver)-layers/layers.json").readText() == "[]")
    }
    #expect(try store.check().isHealthy)
  }

  @Test(.tags(.root, .slow), .enabled(if: isRoot, "mounting needs root"))
  func `A running container keeps its files, and what it used is deleted when it is unmounted`() throws {
    for place in SplitStoreTests.Place.allCases {
      let split = try Split(Case(driver: "overlay", place: place))
      defer { withExtendedLifetime(split) {} }
      _ = try fill(split)
      let plain = try split.open(split: false)
      let container = try plain.containers.create(ContainerCreation(names: ["c"], image: "a"))
      let path = FilePath(try plain.mount("c"))
      try path.appending("own").write("mine")
      let store = try split.open()
      _ = try store.images.relocate(to: .imageStore)
      // Looked up only now.
      #expect(try path.appending("base").readText() == "content of base")
      #expect(try path.appending("mid").readText() == "content of mid")
      #expect(try layers(split, split.root("g")).count == 3)
      #expect(try split.open().check().isHealthy)
      try store.unmount("c")
      _ = try split.open().layers.list()
      #expect(try layers(split, split.root("g")) == [container.layer.rawValue])
      // Other programs mount it by the driver's lists.
      #expect(try split.open().check().isHealthy)
      #expect(try split.read("own", in: "c", store) == "mine")
      #expect(try split.read("base", in: "c", store) == "content of base")
      try store.containers.delete("c")
      #expect(try layers(split, split.root("g")).isEmpty)
    }
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `What another graph root needs stays in the image store, too`(driver: String) throws {
    let split = try Split(Case(driver: driver, place: .sameFileSystem))
    defer { withExtendedLifetime(split) {} }
    let (store, other) = (try split.open(), try split.open("h"))
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(try split.test.tar(["f": "x"]).string))
    _ = try store.images.create(ImageCreation(id: "image", names: ["web"], layer: "base"))
    _ = try other.containers.create(ContainerCreation(names: ["theirs"], image: "web"))
    let done = try store.images.relocate(["web"], to: .graphRoot)
    #expect(done.layers.map(\.remains) == ["used by container \"theirs\" of graph root \(split.root("h"))"])
    #expect(try split.read("f", in: "theirs", other) == "x")
    #expect(try split.open(split: false).images.find("web").id.rawValue == "image")
    // So does the record that their container names.
    #expect(try other.images.find("web").id.rawValue == "image")
    #expect(try split.open().images.find("web").record.names == ["web"])
    #expect(try split.open("h").check().isHealthy)
    #expect(try split.open().check().isHealthy)
    try other.containers.delete("theirs")
  }

  @Test func `What a killed move left of an image goes, though a container names the image`() throws {
    let split = try Split(Case(driver: "vfs", place: .sameFileSystem))
    defer { withExtendedLifetime(split) {} }
    let id = String(repeating: "1a", count: 32)
    let store = try split.open()
    let layer = try store.layers.create(LayerCreation(id: "base"))
    _ = try store.images.create(ImageCreation(id: id, layer: layer.id.rawValue))
    _ = try store.containers.create(ContainerCreation(image: id))
    _ = try store.images.relocate(to: .graphRoot)
    // As after a kill between the image's record and its items in the image store.
    let left = split.image.appending("vfs-images").appending(id)
    try Syscall.mkdir(left, mode: 0o700)
    try left.appending("=a2V5").write("item")
    _ = try split.open().images.list()
    #expect(left.exists)
    try split.open().write([.images]) { (_) throws(StorageError) in }
    #expect(!left.exists)
    // Where no record is left, the container's image has lost it.
    let kept = split.root("g").appending("vfs-images").appending(id)
    try Syscall.mkdir(kept, mode: 0o700)
    try kept.appending("=a2V5").write("item")
    try split.root("g").appending("vfs-images/images.json").write("[]")
    try split.open().write([.images]) { (_) throws(StorageError) in }
    #expect(kept.exists)
    // What an additional store records may be another's image of that name.
    _ = try split.open("h", split: false).images.create(ImageCreation(id: id))
    let beside = try split.test.open { options in
      options.graphRoot = split.root("g").string
      options.runRoot = split.root("run-g").string
      options.imageStore = split.image.string
      options.driverOptions.append("vfs.imagestore=\(split.root("h"))")
    }
    #expect(try beside.images.list().map(\.id.rawValue) == [id])
    #expect(kept.exists)
  }

  @Test func `Without an image store, and for images of others, a move is refused with what to do`() throws {
    let split = try Split(Case(driver: "vfs", place: .sameFileSystem))
    defer { withExtendedLifetime(split) {} }
    _ = try fill(split)
    let plain = try split.open(split: false)
    #expect(message { _ = try plain.images.relocate(to: .imageStore) }?.contains("--image-store") == true)
    let store = try split.open()
    #expect(code { _ = try store.images.relocate(["nobody"], to: .imageStore) } == .imageUnknown)
    #expect(try store.images.relocate(["a"], to: .graphRoot).images.map(\.isMoved) == [false])
  }
}
