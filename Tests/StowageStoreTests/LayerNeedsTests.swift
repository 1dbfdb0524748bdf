// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageTestSupport
import SystemPackage
import Testing

/// What one graph root sees: everything that lists tell, looked through from end to end for each question.
private struct Naive {
  private let layers: [LayerRecord]
  private let images: [ImageRecord]
  private let containers: [ContainerRecord]
  private let foreign: [(child: LayerRecord, user: String)]

  /// - Parameters:
  ///   - other: another graph root on the same image store.
  ///   - shared: the layers of that.
  init(_ store: Store, other: Store, at path: FilePath, shared: Set<LayerID>) throws {
    layers = try store.layers.list().map(\.record)
    images = try store.images.list().map(\.record)
    containers = try store.containers.list()
    let elsewhere = try other.containers.list()
    foreign = try other.layers.list().map(\.record).filter { !shared.contains($0.id) }.map { child in
      let container = elsewhere.first { $0.layer == child.id }
      let user = container.map { "container \"\($0.names.first ?? $0.id.rawValue)\"" } ?? "layer \(child.id)"
      return (child, "used by \(user) of graph root \(path)")
    }
  }

  /// Texts of all reasons for which a layer must stay.
  func reasons(for id: LayerID, countsCopies: Bool = true) -> Set<String> {
    var found: Set<String> = []
    for layer in layers where layer.parent == id { found.insert("used by layer \(layer.id)") }
    for image in images where image.layer == id || countsCopies && image.mappedLayers.contains(id) {
      found.insert("used by image \(image.id)")
    }
    for container in containers where container.layer == id { found.insert("used by container \(container.id)") }
    for (child, user) in foreign where child.parent == id { found.insert(user) }
    return found
  }

  /// Layers that images and containers stand on, directly or not.
  var standing: Set<LayerID> {
    var needed = Set(images.flatMap { $0.mappedLayers + ($0.layer.map { [$0] } ?? []) })
    needed.formUnion(containers.map(\.layer) + foreign.compactMap(\.child.parent))
    while true {
      let more = needed.union(layers.filter { needed.contains($0.id) }.compactMap(\.parent))
      if more == needed { return needed }
      needed = more
    }
  }
}

@Suite("Who needs a layer") struct LayerNeedsTests {
  private typealias Shared = DependentsTests.SharedStore

  @Test(.tags(.slow), arguments: 1...4 as ClosedRange<UInt64>)
  func `Reasons for layers of random stores are those that a look through all lists finds`(seed: UInt64) throws {
    let shared = try Shared(seed == 4 && isRoot ? "overlay" : "vfs")
    defer { withExtendedLifetime(shared) {} }
    try shared.test.forbidShifting()
    let roots = ["a", "b"]
    let stores = try roots.map { try shared.open($0) }
    var random = SeededGenerator(seed: seed)
    for step in 0..<60 {
      let turn = Int.random(in: 0...1, using: &random)
      let place = shared.root(roots[1 - turn])
      let naive = {
        try Naive(stores[turn], other: stores[1 - turn], at: place, shared: try Self.layers(of: shared))
      }
      try act(stores[turn], roots[turn], naive, &random, step)
      if step % 5 == 4 { try compare(stores[turn], try naive(), step) }
    }
  }

  /// The layers that are in the image store.
  private static func layers(of shared: Shared) throws -> Set<LayerID> {
    Set(try shared.openImageStore().layers.list().map(\.id))
  }

  private func compare(_ store: Store, _ naive: Naive, _ step: Int) throws {
    for layer in try store.layers.list() {
      let reasons = try store.layers.needs(of: layer.id.rawValue)
      #expect(Set(reasons) == naive.reasons(for: layer.id), "step \(step): \(layer.id)")
    }
    // What is old and unreferenced is what the naive model does not find.
    var options = CheckOptions()
    options.maximumAge = 0
    let report = try store.check(options)
    let unreferenced = report.layers.filter { item in item.findings.contains { $0.code == .layerUnreferenced } }
    let expected = Set(try store.layers.list().map(\.id)).subtracting(naive.standing)
    #expect(Set(unreferenced.map(\.id)) == Set(expected.map(\.rawValue)), "step \(step)")
  }

  /// What only one graph root sees has its name in the identifier: no two things are called the same.
  private func act(
    _ store: Store, _ root: String, _ naive: () throws -> Naive, _ random: inout SeededGenerator, _ step: Int
  ) throws {
    let isWritable = Int.random(in: 0..<4, using: &random) == 0
    let layer = (isWritable ? root : "L") + "\(Int.random(in: 10..<22, using: &random))"
    let other = (Bool.random(using: &random) ? root : "L") + "\(Int.random(in: 10..<22, using: &random))"
    let image = "I\(root)\(Int.random(in: 10..<14, using: &random))"
    switch Int.random(in: 0..<9, using: &random) {
    case 0, 1, 2:
      let parent = (try? store.layers.find(other)) == nil ? nil : other
      // A name that is taken, and a container's layer as parent, are refused.
      _ = try? store.layers.create(LayerCreation(id: layer, parent: parent, isWritable: isWritable))
    case 3:
      _ = try? store.images.create(ImageCreation(id: image, layer: layer))
    case 4, 5:
      var maps = IDMapRequest()
      if isRoot, Bool.random(using: &random) {
        let range = [IDMapping(containerID: 0, hostID: 100_000, size: 65536)]
        maps = IDMapRequest(maps: IDMaps(uids: range, gids: range))
      }
      _ = try? store.containers.create(ContainerCreation(names: ["c\(step)"], image: image, idMaps: maps))
    case 6:
      if let container = try store.containers.list().randomElement(using: &random) {
        try store.containers.delete(container.id.rawValue)
      }
    case 7:
      guard let found = try? store.layers.find(layer) else { return }
      let reasons = try naive().reasons(for: found.id, countsCopies: false)
      let refusal = code { try store.layers.delete(layer) }
      #expect((refusal == nil) == reasons.isEmpty, "step \(step): delete \(layer): \(reasons)")
    default:
      try deleteImage(image, store, naive, step)
    }
  }

  /// Deletes an image: what goes was needed by nothing but it and by what went with it.
  private func deleteImage(_ image: String, _ store: Store, _ naive: () throws -> Naive, _ step: Int) throws {
    let before = try naive()
    guard let gone = try? store.images.delete(image) else { return }
    let allowed = Set(gone.map { "used by layer \($0)" } + ["used by image \(image)"])
    for id in gone {
      let others = before.reasons(for: id).subtracting(allowed)
      #expect(others.isEmpty, "step \(step): \(id) went with \(image) although it is \(others)")
    }
  }

  @Test func `A layer of a load under way is not deleted, and an image made of it leaves it behind`() throws {
    let test = try TestStore("vfs")
    defer { withExtendedLifetime(test) {} }
    let (loader, other) = (try test.open(), try test.open())
    var pending: PendingImage? = try loader.images.beginLoad(#require(ImageID(recorded: "loading")))
    try put("base", pending, into: loader, of: test)
    #expect(
      message { try other.layers.delete("base") }
        == "layer base used by image loading, which is being made: layer is in use by an image")
    _ = try other.images.create(ImageCreation(id: "quick", layer: "base"))
    #expect(try other.images.delete("quick").isEmpty)
    #expect(try other.layers.list().map(\.id.rawValue) == ["base"])
    // When the loader is gone it belongs to nobody.
    pending = nil
    #expect(try test.open().layers.list().isEmpty)
  }

  @Test func `A layer that a dead load left stays if a layer of another graph root is built on it`() throws {
    let shared = try Shared("vfs")
    defer { withExtendedLifetime(shared) {} }
    let (a, b) = (try shared.open("a"), try shared.open("b"))
    var pending: PendingImage? = try a.images.beginLoad(#require(ImageID(recorded: "loading")))
    for name in ["used", "free"] { try put(name, pending, into: a, of: shared.test) }
    _ = try b.layers.create(LayerCreation(id: "mine", parent: "used", isWritable: true))
    withExtendedLifetime(pending) {}
    pending = nil
    #expect(try a.layers.list().map(\.id.rawValue) == ["used"])
    #expect(try b.layers.list().map(\.id.rawValue).sorted() == ["mine", "used"])
    #expect(try b.check().isHealthy)
  }

  private func put(_ name: String, _ pending: PendingImage?, into store: Store, of test: TestStore) throws {
    var request = LayerCreation(id: name)
    request.pending = pending
    _ = try store.layers.put(request, diff: .file(try test.tar(["f": name]).string))
  }
}
