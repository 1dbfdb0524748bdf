// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

private let first = String(repeating: "1", count: 64)
private let second = String(repeating: "2", count: 64)
private let third = String(repeating: "3", count: 64)
private let fourth = String(repeating: "4", count: 64)
private let image = String(repeating: "a", count: 64)
private let container = String(repeating: "c1", count: 32)

/// Stores that the reference made: read, changed, changed back. The samples need root to be unpacked.
@Suite(
  "Sample stores of the reference", .tags(.root),
  .enabled(if: isRoot, "the samples have devices and trusted attributes"))
struct SampleTests {
  /// Unpacks a sample and opens it.
  private func sample(_ name: String, _ driver: String) throws -> (TestStore, Store, FilePath) {
    let test = try TestStore(driver)
    try unpackSample("\(name).tar.zst", into: test.place.path)
    let graph = test.place.appending("G")
    let store = try test.open { options in
      options.graphRoot = graph.string
      if test.place.appending("I").exists { options.imageStore = test.place.appending("I").string }
    }
    return (test, store, graph)
  }

  @Test(.tags(.driver), arguments: ["overlay", "vfs"], ["", "-split"])
  func `A sample's records are read`(driver: String, suffix: String) throws {
    let (test, store, _) = try sample(driver + suffix, driver)
    defer { withExtendedLifetime(test) {} }
    let layers = try store.layers.list()
    #expect(Set(layers.map(\.id.rawValue)).isSuperset(of: [first, second, third]))
    #expect(try store.layers.find("alias").id.rawValue == third)
    #expect(try store.metadata(of: second) == "meta <&> \"é\"")
    let shown = try store.images.find("example.com/app:2")
    #expect(shown.id.rawValue == image)
    #expect(shown.record.layer?.rawValue == third)
    #expect(try store.images.bigDataNames(of: image).contains("Mixed-Case"))
    #expect(try store.images.bigData("manifest", of: image) == store.images.bigData("Mixed-Case", of: image))
    #expect(try store.containers.find("web").id.rawValue == container)
    #expect(try store.containers.bigData("artifact", of: "web").isEmpty == false)
  }

  @Test(.tags(.driver), arguments: ["overlay", "vfs"], ["", "-split"])
  func `Diffs of a sample's layers are the archives it was made from`(driver: String, suffix: String) throws {
    let (test, store, _) = try sample(driver + suffix, driver)
    defer { withExtendedLifetime(test) {} }
    let sources = [
      first: "cat \(fixture("samples/l1.tar"))", second: "gzip -dc \(fixture("samples/l2.tar.gz"))",
      third: "zstd -qdc \(fixture("samples/l3.tar.zst"))",
    ]
    for (id, command) in sources {
      let out = test.place.appending("out")
      do {
        let file = try Syscall.open(out, [.writeOnly, .create, .truncate], mode: 0o600)
        try store.layers.diff(of: id, compression: Compression.none, to: .descriptor(file.rawValue))
      }
      #expect(try out.readBytes() == shell(command).output)
      #expect(
        try store.layers.find(id).record.diffDigest?.description
          == "sha256:" + shell("sha256sum < \(out)").outputText.prefix(64))
    }
  }

  @Test(.tags(.driver), arguments: ["overlay", "vfs"])
  func `A change and its reverse leave a sample's record files byte for byte`(driver: String) throws {
    let (test, store, graph) = try sample(driver, driver)
    defer { withExtendedLifetime(test) {} }
    let files = ["layers/layers.json", "images/images.json", "containers/containers.json"].map {
      graph.appending("\(driver)-\($0)")
    }
    let before = try files.map { try $0.readBytes() }
    for id in [second, image, container] {
      let metadata = try store.metadata(of: id)
      try store.setMetadata("<&>\"\u{2028}", of: id)
      try store.setMetadata(metadata, of: id)
    }
    for (file, old) in zip(files, before) { #expect(try file.readBytes() == old, "\(file)") }
  }

  @Test(
    .tags(.driver, .slow), arguments: ["overlay", "vfs"],
    ["", "-split"])
  func `Layers put into a sample extend its chain, and a container of it can be mounted`(driver: String, suffix: String)
    throws
  {
    let (test, store, _) = try sample(driver + suffix, driver)
    defer { withExtendedLifetime(test) {} }
    _ = try store.layers.put(
      LayerCreation(id: "mine", parent: "top"), diff: .file(try test.tar(["mine": "1"]).string))
    let made = try store.containers.create(ContainerCreation(image: image))
    for name in [container, made.id.rawValue] {
      let names = try store.withMounted(name) { try FilePath($0).names() }
      #expect(!names.isEmpty)
    }
    try store.containers.delete(made.id.rawValue)
    try store.layers.delete("mine")
    #expect(message { try store.layers.delete(first) }?.hasSuffix("layer has children") == true)
    #expect(code { _ = try store.images.delete(image) } == .imageUsedByContainer)
    try store.containers.delete("web")
    let gone = try store.images.delete(image).map(\.rawValue)
    #expect(gone.first == third)
  }

  @Test(.tags(.driver), arguments: ["overlay", "vfs"])
  func `A sample is used as an additional image store: read, built upon, never written`(driver: String) throws {
    let (test, _, graph) = try sample(driver, driver)
    defer { withExtendedLifetime(test) {} }
    let before = try shell(
      "cd \(graph) && find . -type f -o -type l | sort | xargs -d '\\n' ls -ldn --time-style=full-iso"
    ).output
    let own = test.place.appending("own")
    let store = try test.open { options in
      options.graphRoot = own.string
      options.driverOptions = ["\(driver).imagestore=\(graph)"]
    }
    #expect(try store.layers.find("top").isReadOnly)
    #expect(try store.images.list().map(\.isReadOnly) == [true])
    #expect(code { try store.layers.delete(first) } == .notALayer)
    #expect(code { _ = try store.images.delete(image) } == .notAnImage)
    #expect(
      message { _ = try store.mount(third) }
        == "mounting read/only store images is not allowed: called a write method on a read-only store")
    #expect(code { try store.setNames(["x"], of: first) } == .layerUnknown)
    let made = try store.containers.create(ContainerCreation(id: "c", image: image))
    #expect(try !store.withMounted("c") { try FilePath($0).names() }.isEmpty)
    #expect(try store.layers.find(made.layer.rawValue).record.parent?.rawValue == third)
    try store.containers.delete("c")
    // A new name copies the image into the own store.
    #expect(try store.addNames(["mine"], to: image).first == "mine")
    #expect(try store.images.list().count == 2)
    #expect(try store.images.find("mine").isReadOnly == false)
    #expect(try store.images.bigData("Mixed-Case", of: "mine").isEmpty == false)
    #expect(try store.images.delete("mine").isEmpty)
    let after = try shell(
      "cd \(graph) && find . -type f -o -type l | sort | xargs -d '\\n' ls -ldn --time-style=full-iso"
    ).output
    #expect(before == after)
  }
}
