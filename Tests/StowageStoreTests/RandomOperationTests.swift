// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// A store as it should be, kept in dictionaries: the oracle of the random test.
private struct Model {
  struct Layer {
    var parent: String?
    var names: [String] = []
  }
  struct Image {
    var top: String?
    var names: [String] = []
  }
  struct Container {
    var image: String
    var layer: String
  }

  var layers: [String: Layer] = [:]
  var images: [String: Image] = [:]
  var containers: [String: Container] = [:]

  func children(of id: String) -> Set<String> { Set(layers.filter { $0.value.parent == id }.keys) }

  func refusalToDelete(_ layer: String) -> StorageError.Code? {
    if layers[layer] == nil { return .notALayer }
    if !children(of: layer).isEmpty { return .layerHasChildren }
    if images.contains(where: { $0.value.top == layer }) { return .layerUsedByImage }
    return containers.contains { $0.value.layer == layer } ? .layerUsedByContainer : nil
  }

  /// Deletes an image as store-semantics 18.3 says.
  mutating func deleteImage(_ id: String) -> StorageError.Code? {
    guard let image = images[id] else { return .notAnImage }
    if containers.contains(where: { $0.value.image == id }) { return .imageUsedByContainer }
    images[id] = nil
    var next = image.top
    while let layer = next, refusalToDelete(layer) == nil {
      next = layers[layer]?.parent
      layers[layer] = nil
    }
    return nil
  }

  mutating func setNames(_ names: [String], ofLayer id: String) {
    for key in layers.keys { layers[key]?.names.removeAll { names.contains($0) } }
    layers[id]?.names = names
  }
}

@Suite("Random operations") struct RandomOperationTests {
  @Test(.tags(.slow), arguments: [1, 2, 3, 4])
  func `Random operations by two openers of a store leave what a simple model says`(seed: UInt64) throws {
    let test = try TestStore(seed == 4 && isRoot ? "overlay" : "vfs")
    defer { withExtendedLifetime(test) {} }
    var random = SeededGenerator(seed: seed)
    var model = Model()
    let stores = [try test.open(), try test.open()]
    for step in 0..<120 {
      let store = stores[step % 2]
      try act(store, &model, &random, step)
      if step % 20 == 19 { try compare(store, model, test) }
    }
    let fresh = try test.open()
    try compare(fresh, model, test)
    try fresh.wipe()
    try compare(try test.open(), Model(), test)
  }

  private func act(_ store: Store, _ model: inout Model, _ random: inout SeededGenerator, _ step: Int) throws {
    // No identifier is a prefix of another one, which would find it.
    let layer = "L\(Int.random(in: 10..<22, using: &random))"
    let other = "L\(Int.random(in: 10..<22, using: &random))"
    let image = "I\(Int.random(in: 0..<5, using: &random))"
    let container = "C\(Int.random(in: 0..<5, using: &random))"
    switch Int.random(in: 0..<10, using: &random) {
    case 0, 1, 2:
      let parent = Bool.random(using: &random) ? other : nil
      let result = code { _ = try store.layers.create(LayerCreation(id: layer, parent: parent)) }
      let expected: StorageError.Code? =
        parent.map { model.layers[$0] == nil } == true
        ? .layerUnknown
        : parent.map { id in model.containers.contains { $0.value.layer == id } } == true
          ? .parentIsContainer : model.layers[layer] == nil ? nil : .duplicateID
      #expect(result == expected, "step \(step): create \(layer) over \(parent ?? "nothing")")
      if result == nil { model.layers[layer] = Model.Layer(parent: parent) }
    case 3:
      let result = code { try store.layers.delete(layer) }
      #expect(result == model.refusalToDelete(layer), "step \(step): delete \(layer)")
      if result == nil { model.layers[layer] = nil }
    case 4:
      let result = code { _ = try store.images.create(ImageCreation(id: image, layer: layer)) }
      let expected: StorageError.Code? =
        model.layers[layer] == nil ? .layerUnknown : model.images[image] == nil ? nil : .duplicateID
      #expect(result == expected, "step \(step): image \(image) of \(layer)")
      if result == nil { model.images[image] = Model.Image(top: layer) }
    case 5:
      let result = code { try store.images.delete(image) }
      #expect(result == model.deleteImage(image), "step \(step): delete \(image)")
    case 6, 7:
      try createContainer(store, &model, container, image, step)
    case 8:
      let result = code { try store.containers.delete(container) }
      #expect(
        result == (model.containers[container] == nil ? .notAContainer : nil), "step \(step): delete \(container)")
      if let gone = model.containers.removeValue(forKey: container) { model.layers[gone.layer] = nil }
    default:
      if model.layers[layer] == nil { return }
      let name = "n\(Int.random(in: 0..<3, using: &random))"
      try store.setNames([name], of: layer)
      model.setNames([name], ofLayer: layer)
    }
  }

  private func createContainer(
    _ store: Store, _ model: inout Model, _ container: String, _ image: String, _ step: Int
  ) throws {
    var made: ContainerRecord?
    let result = code { made = try store.containers.create(ContainerCreation(id: container, image: image)) }
    let expected: StorageError.Code? =
      model.images[image] == nil ? .imageUnknown : model.containers[container] == nil ? nil : .duplicateID
    #expect(result == expected, "step \(step): container \(container) of \(image)")
    if let made {
      model.containers[container] = Model.Container(image: image, layer: made.layer.rawValue)
      model.layers[made.layer.rawValue] = Model.Layer(parent: model.images[image]?.top)
    }
  }

  private func compare(_ store: Store, _ model: Model, _ test: TestStore) throws {
    let all = try store.snapshot()
    #expect(Set(all.layers.map(\.id.rawValue)) == Set(model.layers.keys))
    for layer in all.layers {
      #expect(layer.record.parent?.rawValue == model.layers[layer.id.rawValue]?.parent)
      #expect(layer.record.names == model.layers[layer.id.rawValue]?.names)
      #expect(layer.record.flags.isEmpty)
    }
    #expect(Set(all.images.map(\.id.rawValue)) == Set(model.images.keys))
    #expect(Set(all.containers.map(\.id.rawValue)) == Set(model.containers.keys))
    #expect(Set(try store.layers.listInDriver()) == Set(model.layers.keys))
    for name in ["\(test.driver)-layers/tmp", "\(test.driver)/tempdirs"] {
      let path = test.graph.appending(FilePath(name).components)
      if path.exists { #expect(try path.names().isEmpty, "\(name)") }
    }
  }
}
