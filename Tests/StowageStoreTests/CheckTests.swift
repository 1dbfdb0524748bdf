// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What a check finds in records, and what a repair leaves (store-semantics 22).
@Suite("Check and repair") struct CheckTests {
  /// The layer `base`, the image `image` on it with an item, a container.
  private func fill(_ store: Store, _ test: TestStore) throws {
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(try test.tar(["f": "x"]).string))
    _ = try store.images.create(
      ImageCreation(id: "image", layer: "base", bigData: [BigDataItem(key: "key", bytes: Array("item".utf8))]))
    _ = try store.containers.create(ContainerCreation(id: "container", image: "image"))
  }

  private func edit(_ test: TestStore, _ file: String, _ old: String, _ new: String) throws {
    let text = try test.json(file)
    try #require(text.contains(old))
    try test.graph.appending("\(test.driver)-\(file)").write(text.replacing(old, with: new))
  }

  private func messages(_ items: [CheckReport.Item]) -> [String] { items.flatMap { $0.findings.map(\.message) } }

  @Test(.tags(.driver), arguments: testDrivers)
  func `A container whose layer has no record any more gets it back if the tree is there`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    try fill(test.open(), test)
    let layer = try test.open().containers.find("container").layer.rawValue
    try edit(test, "layers/layers.json", #""id":"\#(layer)""#, #""id":"another""#)
    let store = try test.open()
    #expect(try store.check().recordLosses.map(\.kind) == [.layers])
    // The tree belongs to no layer now, but the container names it: nothing of it is deleted.
    #expect(CollectTests.tree(layer, test.graph, driver).exists)
    #expect(try store.restoreRecords().map(\.made) == [1])
    #expect(try messages(store.check().containers) == [])
    #expect(try store.layers.find(layer).record.id.rawValue == layer)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Missing parents, layers and images have the reference's texts`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    try fill(store, test)
    _ = try store.layers.create(LayerCreation(id: "child", parent: "base"))
    _ = try store.images.create(ImageCreation(id: "second", layer: "child"))
    try edit(test, "layers/layers.json", #""parent":"base""#, #""parent":"gone""#)
    try edit(test, "images/images.json", #""layer":"base""#, #""layer":"lost""#)
    let report = try test.open().check()
    #expect(messages(report.layers).contains("layer gone: layer is missing"))
    let images = messages(report.images)
    #expect(images.contains("image image: layer lost: image layer is missing"))
    #expect(images.contains("image second: layer gone: image layer is missing"))
    try edit(test, "images/images.json", #""id":"image""#, #""id":"renamed""#)
    _ = try run("rm", "-r", test.graph.appending("\(driver)-images/image").string)
    #expect(messages(try test.open().check().containers).contains("image image: image missing"))
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Items that are lost or have another size have the reference's texts`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    try fill(store, test)
    let item = test.graph.appending("\(driver)-images/image/key")
    try item.write("longer than it was")
    #expect(
      messages(try store.check().images) == [#"image image: data item "key": image data item has incorrect size"#])
    try Syscall.unlink(item)
    #expect(messages(try store.check().images) == [#"image image: data item "key": image data item is missing"#])
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `What was changed since it was checked is not deleted`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    try fill(store, test)
    try store.containers.delete("container")
    try test.graph.appending("\(driver)-images/image/key").write("longer than it was")
    let report = try store.check()
    #expect(report.images.map(\.id) == ["image"])
    try test.open().images.setBigData("key", bytes: Array("repaired".utf8), of: "image")
    let done = try store.repair(report, removesContainers: true)
    #expect(done.failures.count == 1)
    #expect(try store.images.find("image").id.rawValue == "image")
    #expect(try test.open().check().isHealthy)
  }
}
