// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Random commands on two stores, one driven by Debian's containers-storage 1.43: streams and statuses must be equal, and
/// the store must have what a simple model says.
///
/// 120 operations for each driver, or as many as `STOWAGE_DIFFERENTIAL_OPERATIONS` says; `STOWAGE_SEED` picks the sequence, which
/// is in each failure. Not among the commands is what 1.43 does otherwise (docs/compatibility.md).
@Suite(
  "Differential run", .tags(.root, .interop, .slow),
  .enabled(if: isRoot && commandExists("containers-storage"), "needs root and Debian's containers-storage"))
struct DifferentialTests {
  @Test(.tags(.driver), arguments: Drivers.all) func `Random commands do what Debian's program does`(driver: String)
    throws
  {
    let count = environmentValue("STOWAGE_DIFFERENTIAL_OPERATIONS").flatMap { Int($0) } ?? 120
    let seed = Sweep.seed
    let ours = try CommandStore(driver)
    let theirs = try CommandStore(driver, program: "/usr/bin/containers-storage")
    for store in [ours, theirs] {
      let copied = try run("sh", "-c", "cp \(fixture("samples").string)/l?.tar* \(store.directory.path.string)")
      #expect(copied.isSuccess)
      _ = try store.file("item", "{\"a\":1}\n")
    }
    var random = SeededGenerator(seed: seed)
    var model = StoreModel()
    for step in 1...count {
      let words = model.next(&random)
      let (one, other) = (shown(try ours.run(words), words, ours), shown(try theirs.run(words), words, theirs))
      try #require(one == other, "seed \(seed), step \(step): \(words)\n=== ours\n\(one)\n=== Debian's\n\(other)")
      if let expected = model.expectation {
        try #require(
          one.isSuccess == expected, "seed \(seed), step \(step): \(words): the model says otherwise: \(one)")
      }
      model.settle()
      if step % 100 == 0 || step == count { try compareAll(ours, theirs, model, "seed \(seed), step \(step)") }
    }
  }

  private func compareAll(_ ours: CommandStore, _ theirs: CommandStore, _ model: StoreModel, _ place: String) throws {
    for words in [["layers"], ["layers", "-j"], ["layers", "-t"], ["images", "-j"], ["containers"]] {
      let (one, other) = (shown(try ours.run(words), words, ours), shown(try theirs.run(words), words, theirs))
      try #require(one == other, "\(place): \(words)\n=== ours\n\(one)\n=== Debian's\n\(other)")
    }
    func ids(_ list: String) throws -> Set<String> {
      let lines = try ours.run([list, "-q"].filter { $0 != "-q" || list == "images" }).outputText.split(separator: "\n")
      return Set(lines.filter { !$0.hasPrefix("\t") }.map(String.init))
    }
    #expect(try ids("images") == Set(model.images.keys), "\(place)")
    #expect(try ids("containers") == Set(model.containers.keys), "\(place)")
    // Layers of containers have identifiers that nobody chose.
    let named = try ids("layers").filter { $0.utf8.count < 64 }
    #expect(named == Set(model.layers.keys.filter { !$0.hasPrefix("of ") }), "\(place)")
  }

  private func shown(_ result: ProcessResult, _ words: [String], _ store: CommandStore) -> ProcessResult {
    var result = words.first == "diff" ? result : result.normalized
    if words.first == "diff" { return result }
    func settled(_ text: String) -> [UInt8] {
      let text = text.replacing(store.directory.path.string, with: "DIR")
      // The reference compares trees, and reports on several arguments, in no order of its own.
      if words.first != "changes", words.first != "layers" || words.contains("-j") { return Array(text.utf8) }
      return Array(text.split(separator: "\n").sorted().joined(separator: "\n").utf8)
    }
    result.output = settled(result.outputText)
    result.error = settled(result.errorText)
    return result
  }
}

/// What a store should have, and a source of commands for it. Identifiers and names are few, so that commands meet.
struct StoreModel {
  struct Layer {
    var parent: String?
    var name: String?
  }

  private(set) var layers: [String: Layer] = [:]
  private(set) var images: [String: String?] = [:]
  /// Image and layer.
  private(set) var containers: [String: (image: String, layer: String)] = [:]
  /// Whether the last command must succeed; nil if the model does not say.
  private(set) var expectation: Bool?
  private var effect: (inout StoreModel) -> Void = { _ in }

  /// The next command.
  mutating func next(_ random: inout SeededGenerator) -> [String] {
    let layer = "L\(Int.random(in: 10..<26, using: &random))"
    let other = "L\(Int.random(in: 10..<26, using: &random))"
    let image = "I\(Int.random(in: 10..<18, using: &random))"
    let container = "C\(Int.random(in: 10..<18, using: &random))"
    let flag = Bool.random(using: &random) ? ["-j"] : []
    (expectation, effect) = (nil, { _ in })
    switch Int.random(in: 0..<24, using: &random) {
    case 0, 1, 2: return createLayer(layer, Bool.random(using: &random) ? other : nil, flag)
    case 3: return importLayer(layer, Bool.random(using: &random) ? other : nil, flag)
    case 4, 5: return createImage(image, layer, flag)
    case 6, 7: return createContainer(container, image, flag)
    case 8: return deleteLayer(layer, flag)
    case 9: return deleteImage(image, flag)
    case 10, 11: return deleteContainer(container, flag)
    case 12: return nameLayer(layer, "name\(Int.random(in: 0..<4, using: &random))", flag)
    case 13:
      return [
        "set-metadata", "-m", "text \(Int.random(in: 0..<9, using: &random))", random.pick(layer, image, container),
      ]
    case 14: return ["metadata"] + flag + [random.pick(layer, image, container), other]
    case 15: return ["set-image-data", "-f", "item", image, random.pick("manifest", "key", "k/2")]
    case 16: return [random.pick("get-image-data", "get-image-data-size", "get-image-data-digest"), image, "key"]
    case 17: return ["set-container-data", "-f", "item", container, random.pick("key", "k/2")]
    case 18: return [random.pick("get-container-data", "get-container-data-size"), container, "key"]
    case 19: return ["exists"] + flag + [random.pick(layer, image, container)]
    case 20: return [random.pick("changes", "diffsize")] + [layer]
    case 21: return ["diff", "-u", layer]
    case 22: return [random.pick("layer", "image", "container")] + flag + [random.pick(layer, image, container)]
    default: return [random.pick("mounted", "get-names")] + [random.pick(layer, container)]
    }
  }

  /// The last command had its effect.
  mutating func settle() {
    if expectation == true { effect(&self) }
  }

  private func isFree(_ layer: String) -> Bool {
    !layers.contains { $0.value.parent == layer } && !images.contains { $0.value == layer }
      && !containers.contains { $0.value.layer == layer }
  }

  private mutating func createLayer(_ id: String, _ parent: String?, _ flag: [String]) -> [String] {
    expectation = layers[id] == nil && (parent.map { layers[$0] != nil } ?? true)
    effect = { $0.layers[id] = Layer(parent: parent) }
    return ["create-layer"] + flag + ["--id", id] + (parent.map { [$0] } ?? [])
  }

  private mutating func importLayer(_ id: String, _ parent: String?, _ flag: [String]) -> [String] {
    expectation = layers[id] == nil && (parent.map { layers[$0] != nil } ?? true)
    effect = { $0.layers[id] = Layer(parent: parent) }
    return ["import-layer"] + flag + ["--id", id, "-f", "l1.tar"] + (parent.map { [$0] } ?? [])
  }

  private mutating func createImage(_ id: String, _ layer: String, _ flag: [String]) -> [String] {
    expectation = layers[layer] != nil && images[id] == nil
    effect = { $0.images[id] = layer }
    return ["create-image"] + flag + ["--id", id, layer]
  }

  private mutating func createContainer(_ id: String, _ image: String, _ flag: [String]) -> [String] {
    expectation = images[image] != nil && containers[id] == nil
    effect = { model in
      model.layers["of \(id)"] = Layer(parent: model.images[image] ?? nil)
      model.containers[id] = (image, "of \(id)")
    }
    return ["create-container"] + flag + ["--id", id, image]
  }

  private mutating func deleteLayer(_ id: String, _ flag: [String]) -> [String] {
    expectation = layers[id] != nil && isFree(id)
    effect = { $0.layers[id] = nil }
    return ["delete-layer"] + flag + [id]
  }

  private mutating func deleteImage(_ id: String, _ flag: [String]) -> [String] {
    expectation = images[id] != nil && !containers.contains { $0.value.image == id }
    effect = { model in
      var next = model.images.removeValue(forKey: id) ?? nil
      while let layer = next, model.isFree(layer) { next = model.layers.removeValue(forKey: layer)?.parent }
    }
    return ["delete-image"] + flag + [id]
  }

  private mutating func deleteContainer(_ id: String, _ flag: [String]) -> [String] {
    expectation = containers[id] != nil
    effect = {
      $0.layers["of \(id)"] = nil; $0.containers[id] = nil
    }
    return ["delete-container"] + flag + [id]
  }

  private mutating func nameLayer(_ id: String, _ name: String, _ flag: [String]) -> [String] {
    expectation = layers[id] != nil
    return ["set-names"] + flag + ["-n", name, id]
  }
}

extension SeededGenerator {
  /// One of the words.
  mutating func pick(_ words: String...) -> String { words[Int.random(in: words.indices, using: &self)] }
}
