// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What makes or opens something deletes nothing that a lost record may name.
@Suite("Nothing is cleared that a lost record may name") struct ClearingTests {
  /// What became of `layers.json`.
  enum Loss: String, CaseIterable, Sendable {
    case gone, empty, begunAnew

    func apply(to file: FilePath) throws {
      switch self {
      case .gone: try Syscall.unlink(file)
      case .empty: try file.write([])
      case .begunAnew: try file.write("[]")
      }
    }
  }

  private static let image = CollectTests.identifier(1)
  private static let other = CollectTests.identifier(2)

  /// Two images over one layer, with data, and a container of the first with a file of its own. The container's layer is second.
  private func prepared(_ change: (inout StoreOptions) -> Void = { _ in }) throws -> (TestStore, String) {
    let test = try TestStore()
    let store = try test.open(change)
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(try test.tar(["file": "text"]).string))
    for id in [Self.image, Self.other] {
      let item = BigDataItem(key: "manifest", bytes: [1])
      _ = try store.images.create(ImageCreation(id: id, names: ["n\(id.last ?? "0")"], layer: "base", bigData: [item]))
    }
    let container = try store.containers.create(ContainerCreation(id: "c", image: Self.image))
    let layer = container.layer.rawValue
    try test.content(of: layer).appending("precious").write("x")
    return (test, layer)
  }

  private func items(_ test: TestStore) -> [Bool] {
    [Self.image, Self.other].map { test.graph.appending("vfs-images/\($0)/manifest").exists }
  }

  @Test(arguments: Loss.allCases)
  func `A layer is not made where one stands that lost records may name`(loss: Loss) throws {
    let (test, layer) = try prepared()
    defer { withExtendedLifetime(test) {} }
    let archive = try test.tar(["new": "new"]).string
    try loss.apply(to: test.graph.appending("vfs-layers/layers.json"))
    let makers: [(String) throws -> Void] = [
      { _ = try test.open().layers.create(LayerCreation(id: $0)) },
      { _ = try test.open().layers.put(LayerCreation(id: $0), diff: .file(archive)) },
      { _ = try test.open().layers.createInDriverOnly(LayerCreation(id: $0)) },
    ]
    for make in makers {
      for id in [layer, "base"] {
        let text = message { try make(id) } ?? "no failure"
        #expect(text.contains("layers.json") && text.contains("check --repair"), "\(text)")
      }
    }
    #expect(test.content(of: layer).appending("precious").exists)
    #expect(try test.content(of: "base").appending("file").readText() == "text")
    #expect(test.graph.appending("vfs-layers/base.tar-split.gz").exists)
    _ = try test.open().restoreRecords()
    #expect(try test.open().layers.list().count == 2)
  }

  @Test func `A layer that is recorded is not made in the driver`() throws {
    let (test, layer) = try prepared()
    defer { withExtendedLifetime(test) {} }
    #expect(code { _ = try test.open().layers.createInDriverOnly(LayerCreation(id: layer)) } == .duplicateID)
    #expect(test.content(of: layer).appending("precious").exists)
  }

  @Test func `A layer of a transient container is not made anew in a store of the other mode`() throws {
    let test = try transient()
    defer { withExtendedLifetime(test.0) {} }
    let (store, layer) = test
    #expect(code { _ = try store.open().layers.create(LayerCreation(id: layer)) } == .duplicateID)
    #expect(store.content(of: layer).appending("precious").exists)
  }

  private func transient() throws -> (TestStore, String) {
    try prepared { $0.transientStore = true }
  }

  @Test func `The layer of a transient container stays when its record is lost and made again`() throws {
    let (test, layer) = try transient()
    defer { withExtendedLifetime(test) {} }
    try test.run.appending("vfs-layers/volatile-layers.json").write([])
    let store = try test.open()
    _ = try store.restoreRecords()
    var options = CheckOptions()
    options.maximumAge = 0
    _ = try store.repair(try store.check(options), removesContainers: true)
    #expect(test.content(of: layer).appending("precious").exists)
    #expect(code { try test.open().layers.delete(layer) } == .layerUsedByContainer)
  }

  @Test func `A layer is not made in an image store where one stands that another graph root needs`() throws {
    let shared = try DependentsTests.SharedStore("vfs")
    defer { withExtendedLifetime(shared) {} }
    try shared.makeImage()
    _ = try shared.open("a").containers.create(ContainerCreation(image: "web"))
    for kind in ["layers", "images"] { try shared.image.appending("vfs-\(kind)/\(kind).json").write("[]") }
    let archive = try shared.test.tar(["new": "new"]).string
    for open in [{ try shared.open("b") }, shared.openImageStore] {
      let text = message { _ = try open().layers.put(LayerCreation(id: "base"), diff: .file(archive)) } ?? "no failure"
      #expect(text.contains("graph root \(shared.root("a"))") && text.contains("check --repair"), "\(text)")
    }
    #expect(shared.image.appending("vfs/dir/base/f").exists)
  }

  @Test func `Opening a store removes no data of images, but for empty directories`() throws {
    let (test, _) = try prepared()
    defer { withExtendedLifetime(test) {} }
    let empty = test.graph.appending("vfs-images/\(CollectTests.identifier(3))")
    let lists = ["images/images", "containers/containers"].map { test.graph.appending("vfs-\($0).json") }
    for list in lists {
      try Syscall.mkdir(empty, mode: 0o700)
      try list.write("[]")
      #expect(try test.open().images.list().isEmpty)
      #expect(empty.exists && items(test) == [true, true])
      try test.open().write([.images]) { (_) throws(StorageError) in }
      #expect(!empty.exists && items(test) == [true, true])
    }
  }

  @Test func `Data of an image are not written over those of one whose record is lost`() throws {
    let (test, _) = try prepared()
    defer { withExtendedLifetime(test) {} }
    try test.graph.appending("vfs-images/images.json").write("[]")
    let item = BigDataItem(key: "manifest", bytes: [2])
    let text = message { _ = try test.open().images.create(ImageCreation(id: Self.other, bigData: [item])) }
    #expect(text?.contains("check --repair") == true, "\(text ?? "no failure")")
    #expect(try test.graph.appending("vfs-images/\(Self.other)/manifest").readBytes() == [1])
  }

  @Test func `An image store does not collect data of images that another graph root names, or may name`() throws {
    let shared = try DependentsTests.SharedStore("vfs")
    defer { withExtendedLifetime(shared) {} }
    let store = try shared.open("a")
    let archive = try shared.test.tar(["f": "content"]).string
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(archive))
    let item = BigDataItem(key: "manifest", bytes: [1])
    _ = try store.images.create(ImageCreation(id: Self.image, layer: "base", bigData: [item]))
    _ = try store.containers.create(ContainerCreation(image: Self.image))
    let data = shared.image.appending("vfs-images/\(Self.image)/manifest")
    try shared.image.appending("vfs-images/images.json").write("[]")
    #expect(code { _ = try shared.openImageStore().collectLeftovers() } == .corrupt)
    #expect(data.exists)
    try Syscall.rename(shared.root("a"), shared.root("away"))
    let kept = try shared.openImageStore().collectLeftovers().kept
    #expect(kept.contains { $0.contains("graph root \(shared.root("a"))") }, "\(kept)")
    #expect(data.exists)
  }
}
