// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Graph roots on one image store (store-semantics 27.3.2).
@Suite("Graph roots that depend on one image store") struct DependentsTests {
  /// Two graph roots `a` and `b` on the image store `i`.
  final class SharedStore {
    let test: TestStore
    private let archive: FilePath
    init(_ driver: String) throws {
      test = try TestStore(driver)
      archive = try test.tar(["f": "content"])
    }

    var image: FilePath { test.place.appending("i") }
    func root(_ name: String) -> FilePath { test.place.appending(name) }

    func open(_ name: String) throws -> Store {
      try test.open { options in
        options.graphRoot = root(name).string
        options.runRoot = root("run-\(name)").string
        options.imageStore = image.string
      }
    }

    /// The image store as an ordinary graph root.
    func openImageStore() throws -> Store {
      try test.open { options in
        options.graphRoot = image.string
        options.runRoot = root("run-i").string
      }
    }

    /// Registration files.
    func registrations() throws -> [String] {
      let directory = image.appending("\(test.driver)-layers/dependents.d")
      guard Syscall.exists(directory) else { return [] }
      return try Syscall.directoryNames(directory).map { String(decoding: $0, as: UTF8.self) }.sorted()
    }

    /// An image `web` with one layer, made through graph root `a`.
    func makeImage() throws {
      let store = try open("a")
      _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(archive.string))
      _ = try store.images.create(ImageCreation(id: "image", names: ["web"], layer: "base"))
    }
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `An image or layer that a container of another graph root needs is not deleted`(driver: String) throws {
    let shared = try SharedStore(driver)
    defer { withExtendedLifetime(shared) {} }
    try shared.makeImage()
    let (a, b) = (try shared.open("a"), try shared.open("b"))
    _ = try b.containers.create(ContainerCreation(names: ["mine"], image: "web"))
    let user = "container \"mine\" of graph root \(shared.root("b"))"
    for store in [a, try shared.openImageStore()] {
      #expect(message { _ = try store.images.delete("web") } == "image used by \(user): image is in use by a container")
      #expect(message { try store.layers.delete("base") } == "used by \(user): layer has children")
    }
    // The user itself is told in the usual words.
    #expect(code { _ = try b.images.delete("web") } == .imageUsedByContainer)
    let text = try b.withMounted("mine") { root in try FilePath(root).appending("f").readText() }
    #expect(text == "content")
    try b.containers.delete("mine")
    #expect(try a.images.delete("web").map(\.rawValue) == ["base"])
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `With force the image goes, and what was built on it can be deleted`(driver: String) throws {
    let shared = try SharedStore(driver)
    defer { withExtendedLifetime(shared) {} }
    try shared.makeImage()
    let (a, b) = (try shared.open("a"), try shared.open("b"))
    _ = try b.containers.create(ContainerCreation(names: ["mine"], image: "web"))
    #expect(try a.images.delete("web", force: true).map(\.rawValue) == ["base"])
    if driver == "overlay" { #expect(code { _ = try b.mount("mine") } == .layerUnknown) }
    try b.containers.delete("mine")
    #expect(try b.layers.list().isEmpty)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `What another graph root needs is not wiped, and nothing else either; with force all goes`(driver: String) throws
  {
    let shared = try SharedStore(driver)
    defer { withExtendedLifetime(shared) {} }
    try shared.makeImage()
    let (a, b) = (try shared.open("a"), try shared.open("b"))
    _ = try a.containers.create(ContainerCreation(names: ["its"], image: "web"))
    _ = try b.containers.create(ContainerCreation(names: ["mine"], image: "web"))
    let user = "container \"mine\" of graph root \(shared.root("b"))"
    #expect(message { try a.wipe() } == "layer base used by \(user): layer has children")
    #expect(try a.containers.list().map(\.names) == [["its"]])
    #expect(try a.images.list().map(\.record.names) == [["web"]])
    // Also through the image store as an ordinary graph root, where both need it.
    #expect(code { try shared.openImageStore().wipe() } == .layerHasChildren)
    let text = try b.withMounted("mine") { root in try FilePath(root).appending("f").readText() }
    #expect(text == "content")
    try a.wipe(force: true)
    #expect(try a.containers.list().isEmpty)
    #expect(try a.layers.list().isEmpty && a.images.list().isEmpty)
    #expect(try b.containers.list().map(\.names) == [["mine"]])
    try b.wipe()
    #expect(try b.layers.list().isEmpty && b.containers.list().isEmpty)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `A layer below one that another graph root needs stays when the image above it goes`(driver: String) throws {
    let shared = try SharedStore(driver)
    defer { withExtendedLifetime(shared) {} }
    let (a, b) = (try shared.open("a"), try shared.open("b"))
    _ = try a.layers.create(LayerCreation(id: "base"))
    _ = try a.layers.create(LayerCreation(id: "top", parent: "base"))
    _ = try a.images.create(ImageCreation(id: "image", names: ["web"], layer: "top"))
    _ = try b.layers.create(LayerCreation(id: "other", parent: "base", isWritable: true))
    #expect(try a.images.delete("web").map(\.rawValue) == ["top"])
    #expect(
      message { try a.layers.delete("base") }
        == "used by layer other of graph root \(shared.root("b")): layer has children")
  }

  @Test
  func `Containers made by a program that does not register are found in the records of a registered graph root`()
    throws
  {
    let shared = try SharedStore("vfs")
    defer { withExtendedLifetime(shared) {} }
    try shared.makeImage()
    let (a, b) = (try shared.open("a"), try shared.open("b"))
    _ = try b.containers.create(ContainerCreation(names: ["mine"], image: "web"))
    // As if the entry had never been written.
    let name = try #require(try shared.registrations().last)
    let file = shared.image.appending("vfs-layers/dependents.d").appending(name)
    try file.write(try file.readText().replacing(#/"dependents":\[[^\]]*\]/#, with: #""dependents":[]"#))
    #expect(code { _ = try a.images.delete("web") } == .imageUsedByContainer)
  }

  @Test(.tags(.driver, .slow), arguments: testDrivers)
  func `An image that a container of another graph root names stays, also while its layers are there, too`(
    driver: String
  ) throws {
    let shared = try SharedStore(driver)
    defer { withExtendedLifetime(shared) {} }
    try shared.makeImage()
    let b = try shared.open("b")
    _ = try b.images.relocate(["web"], to: .graphRoot)
    _ = try b.images.relocate(["web"], to: .imageStore)
    _ = try b.images.relocate(["web"], to: .graphRoot)
    _ = try b.containers.create(ContainerCreation(names: ["mine"], image: "web"))
    try shared.makeImage()
    let a = try shared.open("a")
    // There is one of its own.
    #expect(try a.images.delete("web").map(\.rawValue) == ["base"])
    try shared.makeImage()
    // As a move that is killed before the layers leave the graph root: it registers before it moves images.
    _ = try a.layers.create(LayerCreation(id: "other"))
    _ = try b.layers.create(LayerCreation(id: "user", parent: "other", isWritable: true))
    let identity = shared.root("b").appending("\(driver)-layers/graph-root-id")
    let id = try identity.readText()
    let file = shared.image.appending("\(driver)-layers/dependents.d/\(id).json")
    let text = try file.readText()
    try b.layers.delete("user")
    try a.layers.delete("other")
    try Syscall.mkdir(file.removingLastComponent(), mode: 0o700)
    try file.write(text.replacing(#/"dependents":\[[^\]]*\]/#, with: #""dependents":[]"#))
    try identity.write(id)
    try shared.root("b").appending("\(driver)-images/images.json").write("[]")
    #expect(
      message { _ = try a.images.delete("web") }
        == "image used by container \"mine\" of graph root \(shared.root("b")): image is in use by a container")
    #expect(code { try a.wipe() } == .imageUsedByContainer)
    #expect(try b.images.relocate(["web"], to: .imageStore).layers.count == 1)
    #expect(try b.check().isHealthy && a.check().isHealthy)
    let read = try b.withMounted("mine") { root in try FilePath(root).appending("f").readText() }
    #expect(read == "content")
  }

  @Test(.tags(.root, .slow), .enabled(if: isRoot, "mounting needs root"))
  func `A running container keeps the files of its image when that moves to its graph root, whatever others do`() throws
  {
    let shared = try SharedStore("overlay")
    defer { withExtendedLifetime(shared) {} }
    for isShared in [false, true] {
      try shared.makeImage()
      let (a, b, c) = (try shared.open("a"), try shared.open("b"), try shared.open("c"))
      _ = try b.containers.create(ContainerCreation(names: ["mine"], image: "web"))
      let path = FilePath(try b.mount("mine"))
      // The layer stays in the image store if somebody else needs it.
      if isShared { _ = try c.containers.create(ContainerCreation(names: ["other"], image: "web")) }
      let moved = try b.images.relocate(["web"], to: .graphRoot)
      #expect(moved.layers.map { $0.remains != nil } == [isShared])
      #expect(code { try a.wipe() } == (isShared ? .layerHasChildren : .layerUsedByContainer))
      if isShared {
        try c.containers.delete("other")
        _ = try a.images.delete("web")
        #expect(code { try a.wipe() } == .layerUsedByContainer)
      }
      for store in [a, try shared.open("c"), try shared.openImageStore()] {
        #expect(try !store.layers.list().isEmpty)
        #expect(try store.check().isHealthy)
        var options = CheckOptions()
        options.maximumAge = 0
        _ = try store.repair(try store.check(options), removesContainers: true)
      }
      // Looked up only now.
      #expect(try path.appending("f").readText() == "content")
      try b.unmount("mine")
      #expect(try shared.open("b").check().isHealthy)
      try b.containers.delete("mine")
      _ = try b.images.delete("web")
      try a.wipe()
      for store in [a, b] { #expect(try store.layers.list().isEmpty) }
    }
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Layers of an image that is being loaded through another graph root stay`(driver: String) throws {
    let shared = try SharedStore(driver)
    defer { withExtendedLifetime(shared) {} }
    let a = try shared.open("a")
    let pending = try a.images.beginLoad(try ImageID(validating: "image"))
    var request = LayerCreation(id: "base")
    request.pending = pending
    _ = try a.layers.create(request)
    for store in [try shared.open("b"), try shared.openImageStore()] {
      #expect(try store.layers.list().map(\.record.id.rawValue) == ["base"])
      #expect(try store.check().isHealthy)
    }
    _ = try a.images.create(ImageCreation(id: "image", names: ["web"], layer: "base"))
    try pending.finish()
    #expect(try shared.open("b").layers.find("base").record.flags.isEmpty)
  }

  @Test func `A registration is exact: there while a child is, and for the layers that have one`() throws {
    let shared = try SharedStore("vfs")
    defer { withExtendedLifetime(shared) {} }
    try shared.makeImage()
    #expect(try shared.registrations() == [])
    let a = try shared.open("a")
    let layer = try a.layers.create(LayerCreation(id: "child", parent: "base", isWritable: true))
    let identity = shared.root("a").appending("vfs-layers/graph-root-id")
    let id = try identity.readText()
    #expect(try shared.registrations() == ["\(id).json"])
    let file = shared.image.appending("vfs-layers/dependents.d/\(id).json")
    let text = try file.readText()
    #expect(text.contains(#""dependents":[{"child":"child","parent":"base"}]"#))
    #expect(text.contains(#""graph-root":"\#(shared.root("a"))""#))
    try a.layers.delete(layer.id.rawValue)
    #expect(try shared.registrations() == [] && !identity.exists)
    #expect(try a.images.delete("web").map(\.rawValue) == ["base"])
  }

  @Test(.tags(.slow))
  func `A graph root that is not where it was is believed, whatever the reason, and by force its registration ends`()
    throws
  {
    let shared = try SharedStore("vfs")
    defer { withExtendedLifetime(shared) {} }
    try shared.makeImage()
    let (a, b) = (try shared.open("a"), try shared.open("b"))
    _ = try b.layers.create(LayerCreation(id: "child", parent: "base", isWritable: true))
    let name = try #require(try shared.registrations().last)
    let file = shared.image.appending("vfs-layers/dependents.d").appending(name)
    let text = try file.readText()
    #expect(text.contains(#""since":"20"#))
    let identity = shared.root("b").appending("vfs-layers/graph-root-id")
    let changes: [(String, () throws -> Void)] = [
      ("cannot be read", { try identity.write("\0\0") }), ("cannot be read", { try identity.write("") }),
      ("is not there", { try identity.write(String(repeating: "a", count: 32)) }),
      ("is not there", { try Syscall.rename(shared.root("b"), shared.root("elsewhere")) }),
      (
        "is on a file system that is not mounted",
        { try file.write(text.replacing(#/"mount-point":"[^"]*"/#, with: #""mount-point":"\#(shared.root("no"))""#)) }
      ),
      (
        "is on another machine",
        { try file.write(text.replacing(#/"machine-id":"[^"]*"/#, with: #""machine-id":"another""#)) }
      ),
    ]
    for (reason, change) in changes {
      try change()
      let refusal = message { _ = try a.images.delete("web") } ?? ""
      #expect(
        refusal.hasPrefix(
          "image used by layer child of graph root \(shared.root("b")), which \(reason) (registration \(name.dropLast(5)) since"
        ), "\(refusal)")
      #expect(refusal.contains("--force"))
      #expect(code { try a.layers.delete("base") } == .layerHasChildren)
      #expect(code { try a.wipe() } == .layerHasChildren)
    }
    #expect(try a.places().contains { $0.dependents.contains { $0.absence == "is on another machine" } })
    #expect(try a.images.delete("web", force: true).map(\.rawValue) == ["base"])
    #expect(try shared.registrations() == [])
  }

  @Test func `A damaged registration stops deletions with a message that names it`() throws {
    let shared = try SharedStore("vfs")
    defer { withExtendedLifetime(shared) {} }
    try shared.makeImage()
    let b = try shared.open("b")
    _ = try b.layers.create(LayerCreation(id: "child", parent: "base", isWritable: true))
    let name = try #require(try shared.registrations().last)
    let file = shared.image.appending("vfs-layers/dependents.d").appending(name)
    for text in ["", "{", "[]", #"{"version":2}"#, #"{"version":1,"id":"x"}"#] {
      try file.write(text)
      let a = try shared.open("a")
      #expect(code { _ = try a.images.delete("web") } == .corrupt)
      #expect(message { _ = try a.images.delete("web") }?.contains(file.string) == true)
    }
    // Its owner writes it anew.
    _ = try shared.open("b").layers.create(LayerCreation(id: "second", parent: "base", isWritable: true))
    #expect(code { _ = try shared.open("a").images.delete("web") } == .imageUsedByContainer)
  }
}
