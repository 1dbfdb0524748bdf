// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Forms of layers that other programs make: partial pulls and conversions (chunked-and-composefs 2.8, 7.1), composefs
/// (chunked-and-composefs 4), owners changed for maps, additional layer stores (graph-drivers 13.4).
@Suite(
  "Layers in forms of other programs", .tags(.root),
  .enabled(if: isRoot, "the samples have devices and trusted attributes"))
struct ForeignLayerTests {
  private static let forms = [
    "partial-pull", "convert-images", "composefs", "map-shift", "map-copy", "als/als-fixed",
  ]

  /// The layers whose archives cannot be made again by this version.
  private static let unreadable = ["composefs", "als/als-fixed"]

  private static let tool = "containers-storage"

  /// Unpacks one graph root. Links into an additional layer store lead to where that was unpacked, unless it is to be missing.
  private func sample(_ name: String, losesLayerStore: Bool = false) throws -> (TestStore, Store) {
    let test = try TestStore("overlay")
    let archive = fixture("samples/foreign-layers.tar.zst")
    let parts = name.hasPrefix("als/") && !losesLayerStore ? "als" : "\(name)/G"
    try require(
      "tar --zstd --xattrs --xattrs-include='*' --numeric-owner -xf \(archive) -C \(test.place.path) \(parts)")
    try require("mv \(test.place.path)/\(name)/G \(test.graph)")
    if parts == "als" {
      let old = "/srv/sample/als-plain"
      try require(
        """
        cd \(test.graph)/overlay; for layer in */additionallayer; do
        place=\(test.place.path)/als/als-plain"$(sed 's,\(old),,' "$layer")"; printf %s "$place" > "$layer"
        ln -sfn "$place/diff" "${layer%/*}/diff"; done
        """)
    }
    return (test, try test.open())
  }

  private func require(_ script: String) throws {
    let result = try shell(script)
    if !result.isSuccess { throw StorageError(.system, result.description) }
  }

  /// All that other programs read: records, items, and what is in the layers.
  private func content(_ test: TestStore) throws -> String {
    try shell(
      """
      cd \(test.graph) && cat overlay-*/*.json && find overlay overlay-layers overlay-images overlay-containers -mindepth 1 \
      ! -path '*/merged*' ! -path '*/work/*' ! -name '*.lock' ! -path '*/tmp*' ! -path '*/tempdirs*' ! -name '.has-mount-program' \
      ! -name graph-root-id ! -path '*/staging*' -printf '%p|%y|%m|%U:%G|%s|%l\\n' | sort
      """
    ).outputText
  }

  @Test(.tags(.slow), arguments: forms)
  func `Check, repair and collection change nothing of a store in a form of another program`(form: String) throws {
    let (test, store) = try sample(form)
    defer { withExtendedLifetime(test) {} }
    let before = try content(test)
    let report = try store.check()
    #expect(
      (report.layers + report.images + report.containers).flatMap(\.findings).map(\.message) == [], "\(form)")
    let done = try store.repair(report, removesContainers: true)
    #expect(done.failures.isEmpty && done.remaining.isEmpty)
    _ = try store.collectLeftovers()
    #expect(try content(test) == before)
  }

  @Test(
    .tags(.interop), .enabled(if: commandExists(tool), "needs containers-storage"),
    arguments: forms.filter { !unreadable.contains($0) })
  func `After a repair another program exports every layer as it was recorded`(form: String) throws {
    let (test, store) = try sample(form)
    defer { withExtendedLifetime(test) {} }
    _ = try store.repair(try store.check(), removesContainers: true)
    _ = try store.collectLeftovers()
    _ = try store.shutdown(force: true)
    let prefix = "\(Self.tool) --graph \(test.graph) --run \(test.run) --storage-driver overlay"
    for layer in try store.layers.list() {
      guard let digest = layer.record.diffDigest else { continue }
      let exported = try shell("\(prefix) diff -u \(layer.id) | sha256sum").outputText.prefix(64)
      #expect("sha256:\(exported)" == digest.description, "\(form) \(layer.id)")
    }
    for image in try store.images.list() {
      let top = try #require(image.record.layer)
      let shown = try shell("\(prefix) mount \(top) && \(prefix) unmount \(top)")
      #expect(shown.isSuccess, "\(form) \(shown)")
    }
    _ = try shell("\(prefix) shutdown")
  }

  @Test func `Damage to a partially pulled layer is found, and what its pull may explain is told only`() throws {
    let (test, store) = try sample("partial-pull")
    defer { withExtendedLifetime(test) {} }
    let base = "73e4b34978ad17882a33aa3da8d30f276cb4a0a1a60d3fde37f4ace93be79ab1"
    let file = test.graph.appending("overlay/\(base)/diff/data/k70.txt")
    try Syscall.chmod(file, mode: 0o600)
    let told = try store.check()
    let messages = told.layers.first { $0.id == base }?.findings
    #expect(messages?.contains { $0.message.contains("/data/k70.txt(mode:") } == true)
    #expect(messages?.allSatisfy { $0.remedy == .none } == true)
    #expect(try store.repair(told, removesContainers: true).remaining.layers > 0)
    #expect(try store.layers.list().count == 6)
    try file.write("other content")
    let damaged = try store.check()
    #expect(damaged.layers.first { $0.id == base }?.findings.contains { $0.remedy == .deletion } == true)
  }

  @Test func `Layers of an additional layer store that is not there are told and stay`() throws {
    let (test, store) = try sample("als/als-fixed", losesLayerStore: true)
    defer { withExtendedLifetime(test) {} }
    let before = try content(test)
    let report = try store.check()
    #expect(!report.isHealthy)
    _ = try store.repair(report, removesContainers: true)
    _ = try store.collectLeftovers()
    #expect(try content(test) == before)
  }

  @Test func `Layers of an additional layer store that are not recorded are told and stay`() throws {
    let (test, store) = try sample("als/als-fixed")
    defer { withExtendedLifetime(test) {} }
    // As the reference leaves them: it records only what the container added.
    let file = test.graph.appending("overlay-layers/layers.json")
    let container = try store.containers.find("web").layer.rawValue
    let cut = try shell("jq -c '[.[]|select(.id==\"\(container)\")]' \(file)").outputText
    try file.write(cut)
    let before = try content(test)
    let reopened = try test.open()
    let report = try reopened.check()
    #expect(!report.isHealthy)
    _ = try reopened.repair(report, removesContainers: true)
    _ = try reopened.collectLeftovers()
    #expect(try content(test) == before)
    #expect(try reopened.layers.list().map(\.id.rawValue) == [container])
  }

  // MARK: What is refused

  private func refusal(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return (error as? StorageError).flatMap { $0.code == .notSupported ? $0.message : nil } }
    return nil
  }

  private func difference(_ store: Store, _ layer: String, _ test: TestStore) throws -> [UInt8] {
    let out = test.place.appending("out")
    let file = try Syscall.open(out, [.writeOnly, .create, .truncate], mode: 0o600)
    try store.layers.diff(of: layer, compression: Compression.none, to: .descriptor(file.rawValue))
    return try out.readBytes()
  }

  @Test func `What would be wrong over composefs layers is refused with the reason`() throws {
    let (test, store) = try sample("composefs")
    defer { withExtendedLifetime(test) {} }
    let image = try store.images.find("127.0.0.1:5191/sample:v1")
    let container = try store.containers.find("web").layer.rawValue
    let top = try #require(image.record.layer).rawValue
    let before = try store.layers.list().count
    let reasons = [
      refusal { _ = try difference(store, container, test) }, refusal { _ = try difference(store, top, test) },
      refusal { _ = try store.layers.changes(of: container) },
      refusal { _ = try store.layers.create(LayerCreation(parent: top)) },
      refusal { _ = try store.layers.put(LayerCreation(parent: top), diff: .file(try test.tar(["f": "1"]).string)) },
      refusal { _ = try store.containers.create(ContainerCreation(image: image.id.rawValue)) },
    ]
    for reason in reasons { #expect(reason?.contains("is a composefs layer, which this version cannot") == true) }
    #expect(try store.layers.list().count == before)
    // What was committed is an ordinary layer with its own archive.
    let committed = try #require(try store.images.find("localhost/committed:1").record.layer).rawValue
    let digest = try store.layers.find(committed).record.diffDigest
    _ = try difference(store, committed, test)
    let sum = try shell("sha256sum < \(test.place.appending("out"))").outputText.prefix(64)
    #expect(digest?.description == "sha256:\(sum)")
  }

  @Test func `The diff of a layer of an additional layer store is refused with the reason`() throws {
    let (test, store) = try sample("als/als-fixed")
    defer { withExtendedLifetime(test) {} }
    let top = try #require(try store.images.find("127.0.0.1:5191/sample:v1").record.layer).rawValue
    #expect(
      refusal { _ = try difference(store, top, test) }?.contains("is one of an additional layer store, whose archives")
        == true)
    let container = try store.containers.find("web").layer.rawValue
    #expect(try !difference(store, container, test).isEmpty)
    #expect(try store.withMounted("web") { try FilePath($0).names() }.contains("data"))
  }
}
