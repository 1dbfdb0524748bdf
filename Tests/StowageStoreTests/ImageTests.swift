// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Images") struct ImageTests {
  private func prepared(_ driver: String = "vfs") throws -> (TestStore, Store) {
    let test = try TestStore(driver)
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "base"))
    _ = try store.layers.create(LayerCreation(id: "top", parent: "base"))
    return (test, store)
  }

  @Test func `A manifest's digest becomes that of the image, and both digests find it`() throws {
    let (test, store) = try prepared()
    defer { withExtendedLifetime(test) {} }
    let manifest = BigDataItem(key: "manifest", bytes: Array("{\"a\":1}\n".utf8))
    let image = try store.images.create(ImageCreation(id: "i", names: ["x", "x"], layer: "top", bigData: [manifest]))
    // The digest is that of the reference's transcript for the same item (cli 20.1).
    let digest = "sha256:e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c"
    #expect(image.digests.map(\.description) == [digest])
    #expect(image.record.names == ["x"])
    #expect(try store.images.byDigest(digest).map(\.id.rawValue) == ["i"])
    try store.images.setBigData("manifest-other", bytes: [1], of: "i")
    #expect(try store.images.find("i").digests.count == 2)
    #expect(try store.images.bigDataSize("manifest", of: "x") == 8)
    #expect(try test.json("images/images.json").contains("\"digest\":\"\(digest)\""))
    #expect(try test.graph.appending("vfs-images/i").names().contains("=bWFuaWZlc3Qtb3RoZXI="))
  }

  @Test func `Taken identifiers, taken names and wrong digests have the reference's texts`() throws {
    let (test, store) = try prepared()
    defer { withExtendedLifetime(test) {} }
    _ = try store.images.create(ImageCreation(id: "i1", names: ["img:1"], layer: "top"))
    #expect(
      message { _ = try store.images.create(ImageCreation(id: "i1")) }
        == "an image with ID \"i1\" already exists: that ID is already in use")
    #expect(
      message { _ = try store.images.create(ImageCreation(names: ["img:1"])) }
        == "image name \"img:1\" is already associated with image \"i1\": that name is already in use")
    #expect(message { _ = try store.images.create(ImageCreation(layer: "nope")) } == "layer not known")
    #expect(
      message { _ = try store.images.create(ImageCreation(digest: "sha256:aaaa")) }
        == "validating digests for new image: validating image digest \"sha256:aaaa\": invalid checksum digest length")
    #expect(message { _ = try store.images.find("nope") } == "locating image with ID \"nope\": image not known")
    #expect(
      message { _ = try store.images.bigData("nok", of: "i1") }
        == "locating item named \"nok\" for image with ID \"i1\" (consider removing the image to resolve the issue): "
        + "file does not exist")
    #expect(message { _ = try store.images.bigDataSize("nok", of: "i1") } == "size is not known")
    #expect(message { _ = try store.images.bigDataDigest("nok", of: "i1") } == "could not compute digest of item")
    #expect(
      message { _ = try store.images.directory(of: "nope") } == "locating image with ID \"nope\": image not known")
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Deleting an image takes along the layers nobody else uses`(driver: String) throws {
    let (test, store) = try prepared(driver)
    defer { withExtendedLifetime(test) {} }
    _ = try store.layers.create(LayerCreation(id: "other", parent: "base"))
    _ = try store.images.create(ImageCreation(id: "one", layer: "top"))
    _ = try store.images.create(ImageCreation(id: "two", layer: "other"))
    #expect(message { try store.layers.delete("top") } == "layer top used by image one: layer is in use by an image")
    #expect(try store.images.delete("one", commit: false).map(\.rawValue) == ["top"])
    #expect(try store.images.delete("one").map(\.rawValue) == ["top"])
    #expect(try store.images.delete("two").map(\.rawValue) == ["other", "base"])
    #expect(code { _ = try store.images.delete("two") } == .notAnImage)
    #expect(try store.layers.list().isEmpty)
    #expect(try store.layers.listInDriver().isEmpty)
    #expect(try test.json("layers/layers.json") == "[]")
    #expect(try test.json("images/images.json") == "[]")
  }

  @Test func `Names move between images, and the history remembers them newest first`() throws {
    let (test, store) = try prepared()
    defer { withExtendedLifetime(test) {} }
    _ = try store.images.create(ImageCreation(id: "a", names: ["i2"]))
    _ = try store.images.create(ImageCreation(id: "b", names: ["x"]))
    #expect(try store.addNames(["x", "y"], to: "i2") == ["x", "y", "i2"])
    #expect(try store.images.find("a").record.namesHistory == ["i2", "y", "x"])
    #expect(try store.images.find("b").record.names.isEmpty)
    #expect(try store.removeNames(["y", "nobody"], from: "a") == ["x", "i2"])
    #expect(try store.setNames(["z"], of: "a") == ["z"])
    #expect(try store.names(of: "b").isEmpty)
    #expect(code { try store.setNames([], of: "nobody") } == .layerUnknown)
  }

  @Test func `Thousands of names are given and taken away at once`() throws {
    let (test, store) = try prepared()
    defer { withExtendedLifetime(test) {} }
    let names = (0..<20_000).map { "localhost/name:\($0)" }
    _ = try store.images.create(ImageCreation(id: "a", names: names))
    let begun = ContinuousClock.now
    #expect(
      try store.addNames(names, to: store.images.create(ImageCreation(id: "image-b")).id.rawValue).count == 20_000)
    // Once for each name, the history was searched and the earlier owner changed: minutes.
    #expect(ContinuousClock.now - begun < .seconds(20))
    #expect(try store.images.find("a").record.names.isEmpty)
    #expect(try store.images.find("image-b").record.namesHistory.first == names.last)
  }
}
