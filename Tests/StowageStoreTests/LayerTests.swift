// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Layers") struct LayerTests {
  @Test(.tags(.driver), arguments: testDrivers)
  func `A layer put from a tar is recorded with the digests that sha256sum gives`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let tar = try test.tar(["file": "hello"], compress: "z")
    let sum = try shell("sha256sum < \(tar)").outputText.prefix(64)
    let plain = try shell("gzip -dc \(tar) | sha256sum").outputText.prefix(64)
    let size = try shell("gzip -dc \(tar) | wc -c").outputText.filter { $0.isNumber }
    let put = try store.layers.put(LayerCreation(names: ["base", "base"]), diff: .file(tar.string))
    let record = put.layer.record
    #expect(record.names == ["base"])
    #expect(record.compressedDiffDigest?.description == "sha256:\(sum)")
    #expect(record.diffDigest?.description == "sha256:\(plain)")
    #expect(record.diffSize == Int64(size))
    #expect(record.compression == .gzip)
    #expect(record.uidSet == [0])
    #expect(!record.isIncomplete)
    let again = try test.open()
    #expect(try again.layers.find("base").record == record)
    #expect(try test.json("layers/layers.json").contains("incomplete") == false)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `The diff of a layer is byte for byte the archive it was made from`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let tar = try test.tar(["a": "1", "b": String(repeating: "x", count: 70000)])
    let child = try test.tar(["a": "2", "c": "3"])
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(tar.string))
    _ = try store.layers.put(LayerCreation(id: "top", parent: "base"), diff: .file(child.string))
    for (id, source) in [("base", tar), ("top", child)] {
      let out = test.place.appending("out-\(id)")
      do {
        let file = try Syscall.open(out, [.writeOnly, .create], mode: 0o600)
        try store.layers.diff(of: id, compression: Compression.none, to: .descriptor(file.rawValue))
      }
      #expect(try out.readBytes() == source.readBytes())
    }
    #expect(code { try store.layers.diff(of: "top", compression: .xz, to: .descriptor(-1)) } == .notSupported)
    #expect(
      message { try store.layers.diff(of: "top", compression: .xz, to: .descriptor(-1)) }
        == "unsupported compression format tar.xz")
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Changes against the parent and against another layer`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(try test.tar(["a": "1", "b": "2"]).string))
    _ = try store.layers.put(LayerCreation(id: "mid", parent: "base"), diff: .file(try test.tar(["c": "3"]).string))
    _ = try store.layers.put(LayerCreation(id: "top", parent: "mid"), diff: .file(try test.tar(["a": "longer"]).string))
    let lines = try store.layers.changes(of: "top").map { "\($0.kind) \(String(decoding: $0.path, as: UTF8.self))" }
    #expect(lines.contains("modify /a"))
    #expect(!lines.contains { $0.hasSuffix("/b") || $0.hasSuffix("/c") })
    let wide = try store.layers.changes(of: "top", from: "base").map {
      "\($0.kind) \(String(decoding: $0.path, as: UTF8.self))"
    }
    #expect(wide.contains("modify /a"))
    #expect(wide.contains("add /c"))
    #expect(try store.layers.changes(of: "top", from: "nobody").count == lines.count)
    #expect(MountTable.mounts(below: test.run).isEmpty)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Identifiers and names that are taken are refused`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "one", names: ["n"]))
    #expect(code { _ = try store.layers.create(LayerCreation(id: "one")) } == .duplicateID)
    #expect(code { _ = try store.layers.create(LayerCreation(names: ["n"])) } == .duplicateName)
    #expect(code { _ = try store.layers.create(LayerCreation(id: "../evil")) } == .invalidIdentifier)
    #expect(code { _ = try store.layers.create(LayerCreation(id: "l")) } == .invalidIdentifier)
    #expect(code { _ = try store.layers.create(LayerCreation(parent: "nobody")) } == .layerUnknown)
    #expect(try store.layers.list().count == 1)
  }

  @Test func `Names given twice are stored once`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let layer = try store.layers.create(LayerCreation(id: "one", names: ["n", "m", "n"]))
    #expect(layer.record.names == ["n", "m"])
    _ = try store.images.create(ImageCreation(id: "image", names: ["i", "i"]))
    _ = try store.addNames(["i", "j", "j"], to: "image")
    _ = try store.containers.create(ContainerCreation(id: "container", names: ["c", "c"]))
    let other = try test.open()
    #expect(try other.layers.find("one").record.names == ["n", "m"])
    #expect(try other.images.find("j").record.names == ["i", "j"])
    #expect(try other.containers.find("c").names == ["c"])
  }

  @Test func `Identifiers, names and unique prefixes find a layer, in this order`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let (first, second) = ("a" + String(repeating: "0", count: 63), "a" + String(repeating: "1", count: 63))
    _ = try store.layers.create(LayerCreation(id: first, names: ["a1"]))
    _ = try store.layers.create(LayerCreation(id: second))
    #expect(try store.layers.find(first).id.rawValue == first)
    // A name wins over a prefix.
    #expect(try store.layers.find("a1").id.rawValue == first)
    #expect(try store.layers.find("a11").id.rawValue == second)
    #expect(code { _ = try store.layers.find("a") } == .layerUnknown)
    #expect(code { _ = try store.layers.find("") } == .layerUnknown)
  }

  @Test func `A layer with children is not deleted, whether it is given by name, prefix or identifier`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let id = String(repeating: "b", count: 64)
    _ = try store.layers.create(LayerCreation(id: id, names: ["parent"]))
    _ = try store.layers.create(LayerCreation(id: "child", parent: "parent"))
    for name in ["parent", "bbb", id] {
      #expect(message { try store.layers.delete(name) } == "used by layer child: layer has children")
    }
    try store.layers.delete("child")
    try store.layers.delete("parent")
    #expect(try test.json("layers/layers.json") == "[]")
    #expect(try test.graph.appending("vfs/dir").names().isEmpty)
    #expect(code { try store.layers.delete("parent") } == .notALayer)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `A diff that is not what was expected leaves nothing`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let tar = try test.tar(["a": "1"])
    let wrong = Digest(sha256: [UInt8](repeating: 7, count: 32))
    #expect(
      code {
        _ = try store.layers.put(
          LayerCreation(names: ["x"]), diff: .file(tar.string), expecting: ExpectedDiff(diffDigest: wrong))
      } == .digestMismatch)
    #expect(code { _ = try store.layers.put(LayerCreation(), diff: .bytes(Array("not a tar".utf8))) } != nil)
    #expect(try store.layers.list().isEmpty)
    #expect(try store.layers.listInDriver().isEmpty)
    #expect(try test.graph.appending("\(driver)-layers/tmp").names().isEmpty)
    #expect(try test.graph.appending("\(driver)/tempdirs").names().isEmpty)
  }

  @Test func `Big data of layers is stored under the reference's file names`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "layer", bigData: [BigDataItem(key: "toc", bytes: [1])]))
    try store.layers.setBigData("zstd-chunked-manifest", bytes: [1, 2, 3], of: "layer")
    #expect(try store.layers.bigDataNames(of: "layer") == ["toc", "zstd-chunked-manifest"])
    #expect(try store.layers.bigData("zstd-chunked-manifest", of: "layer") == [1, 2, 3])
    let names = try test.graph.appending("vfs-layers/layer").names().sorted()
    #expect(names == ["=enN0ZC1jaHVua2VkLW1hbmlmZXN0", "toc"])
    #expect(
      message { _ = try store.layers.bigData("no", of: "layer") }
        == "locating item named \"no\" for layer with ID \"layer\": file does not exist")
    #expect(
      message { try store.layers.setBigData("", bytes: [], of: "layer") }
        == "can't set empty name for layer big data item: not a valid name for a big data item")
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Applying a diff to an existing layer records the last diff`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "layer", isWritable: true))
    let (first, second) = (try test.tar(["a": "1"]), try test.tar(["b": "2"]))
    try store.layers.apply(.file(first.string), to: "layer")
    try store.layers.apply(.file(second.string), to: "layer")
    let digest = try shell("sha256sum < \(second)").outputText.prefix(64)
    #expect(try store.layers.find("layer").record.diffDigest?.description == "sha256:\(digest)")
  }
}
