// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Pins: layers that keep programs which know nothing of other graph roots from deleting (store-semantics 27.3.2, level 2).
@Suite("Pins") struct PinLayerTests {
  private typealias SharedStore = DependentsTests.SharedStore

  /// Image `web` made through graph root `a`, and a container `mine` of it in `b`, which pins if wanted.
  private func shared(_ driver: String, pins: Bool = true) throws -> (SharedStore, Store) {
    let shared = try SharedStore(driver)
    try shared.makeImage()
    let b = try open(shared, pins: pins)
    _ = try b.containers.create(ContainerCreation(names: ["mine"], image: "web"))
    return (shared, b)
  }

  private func open(_ shared: SharedStore, pins: Bool) throws -> Store {
    try shared.test.open { options in
      options.graphRoot = shared.root("b").string
      options.runRoot = shared.root("run-b").string
      options.imageStore = shared.image.string
      options.pinsLayers = pins
    }
  }

  /// Pins in the image store, by the layers that they are over.
  private func pins(_ shared: SharedStore) throws -> [String] {
    try shared.openImageStore().layers.list().map(\.record).filter { $0.names.contains { $0.hasPrefix("pin:") } }
      .compactMap { $0.parent?.rawValue }
  }

  @Test(
    .tags(.interop, .driver), .enabled(if: commandExists("containers-storage"), "needs containers-storage"),
    arguments: testDrivers)
  func `Debian's program keeps what another graph root needs while there is a pin, and the pin goes with the container`(
    driver: String
  ) throws {
    let (shared, b) = try shared(driver)
    defer { withExtendedLifetime(shared) {} }
    #expect(try pins(shared) == ["base"])
    let configuration = shared.root("storage.conf")
    try configuration.write("[storage]\ndriver = \"\(driver)\"\n")
    let debian = "--graph \(shared.image) --run \(shared.root("run-i")) -s \(driver)"
    let program = "CONTAINERS_STORAGE_CONF=\(configuration) containers-storage"
    let refused = try shell("\(program) delete-layer \(debian) base")
    #expect(!refused.isSuccess && refused.errorText.contains("layer has children"), "\(refused)")
    let deleted = try shell("\(program) delete-image \(debian) web")
    #expect(deleted.isSuccess, "\(deleted)")
    let text = try b.withMounted("mine") { root in try FilePath(root).appending("f").readText() }
    #expect(text == "content")
    try b.containers.delete("mine")
    #expect(try pins(shared) == [])
    // What no image has any more stays for `check`: somebody may be pulling it.
    #expect(try shared.openImageStore().layers.list().map(\.record.id.rawValue) == ["base"])
    let home = driver == "overlay" ? "overlay" : "vfs/dir"
    let trees = try shared.image.appending(home).names().filter { $0.hasPrefix("base") || $0.utf8.count == 64 }
    #expect(trees == ["base"])
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Without the setting nothing is pinned, and pins of before go with the next change`(driver: String) throws {
    let (shared, _) = try shared(driver, pins: false)
    defer { withExtendedLifetime(shared) {} }
    #expect(try pins(shared) == [])
    try open(shared, pins: true).setMetadata("x", of: "mine")
    #expect(try pins(shared) == ["base"])
    try open(shared, pins: false).setMetadata("y", of: "mine")
    #expect(try pins(shared) == [])
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Pins do not hinder the users of the image store who may delete`(driver: String) throws {
    let (shared, b) = try shared(driver)
    defer { withExtendedLifetime(shared) {} }
    let a = try shared.open("a")
    #expect(code { _ = try a.images.delete("web") } == .imageUsedByContainer)
    #expect(code { try a.layers.delete("base") } == .layerHasChildren)
    for store in [a, b, try shared.openImageStore()] {
      let report = try store.check()
      #expect((report.layers + report.images + report.containers).isEmpty)
    }
    #expect(try a.images.delete("web", force: true).map(\.rawValue) == ["base"])
    #expect(try shared.openImageStore().layers.list().isEmpty)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `A pin of a graph root that is gone holds nothing when its registration has ended by force`(
    driver: String
  ) throws {
    let (shared, _) = try shared(driver)
    defer { withExtendedLifetime(shared) {} }
    _ = try shell("umount -l \(shared.root("b"))/overlay || true; rm -rf \(shared.root("b"))")
    #expect(code { _ = try shared.open("a").images.delete("web") } == .imageUsedByContainer)
    #expect(try shared.open("a").images.delete("web", force: true).map(\.rawValue) == ["base"])
    #expect(try shared.openImageStore().layers.list().isEmpty)
  }
}
