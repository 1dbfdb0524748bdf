// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// The layers of a store below their parents, with images and containers.
struct LayerForest {
  enum Item {
    case layer(LayerID)
    case container(ContainerRecord)
  }

  /// One line: what it is about, and whether the branches to the left of it go on below.
  struct Line {
    let item: Item
    /// For each branching above: whether more comes on it.
    let branches: [Bool]
    /// Whether it is one of several on what is above it, which gives it a branch; false for what is alone there.
    let isBranch: Bool
  }

  private let view: StoreView
  private var roots: [LayerID]
  private var children: [LayerID: [LayerID]] = [:]
  private var containers: [LayerID: [ContainerRecord]] = [:]
  private let imagesByTop: [LayerID: [ImageRecord]]
  /// Containers on no layer that is recorded.
  private var loose: [ContainerRecord] = []
  private var kept: Set<LayerID>?
  /// Damaged records may nest without end; lines that are wider help nobody.
  private static let deepest = 40

  init(_ view: StoreView) {
    self.view = view
    var tops: [LayerID: [ImageRecord]] = [:]
    for image in view.images {
      let layers = [image.record.layer].compactMap { $0 } + image.record.mappedLayers
      for layer in Set(layers) { tops[layer, default: []].append(image.record) }
    }
    imagesByTop = tops
    let parents = Set(view.snapshot.layers.compactMap(\.record.parent))
    var own: Set<LayerID> = []
    for container in view.snapshot.containers {
      // A container's own layer is not shown, unless others are built on it.
      let layer = view.layers[container.layer]?.record
      if let layer, !parents.contains(layer.id) { own.insert(layer.id) }
      if let parent = layer?.parent, view.layers[parent] != nil {
        containers[parent, default: []].append(container)
      } else {
        loose.append(container)
      }
    }
    var seen: Set<LayerID> = []
    roots = []
    for layer in view.snapshot.layers where seen.insert(layer.id).inserted && !own.contains(layer.id) {
      if let parent = layer.record.parent, view.layers[parent] != nil {
        children[parent, default: []].append(layer.id)
      } else {
        roots.append(layer.id)
      }
    }
  }

  /// Leaves only these layers, what they are built on and what stands on them.
  mutating func keep(_ tops: [LayerID]) {
    var kept: Set<LayerID> = []
    for top in tops {
      var next: LayerID? = top
      while let id = next, kept.insert(id).inserted { next = view.layers[id]?.record.parent }
    }
    var rest = tops.flatMap { children[$0] ?? [] }
    while let id = rest.popLast() {
      if kept.insert(id).inserted { rest += children[id] ?? [] }
    }
    self.kept = kept
  }

  /// All lines, from the roots; layers that are their own ancestors come last.
  func lines() -> [Line] {
    var lines: [Line] = []
    var seen: Set<LayerID> = []
    // Whatever is on a root has been seen when its turn comes, so that only circles begin at an inner layer.
    let inner = view.snapshot.layers.map(\.id).filter { children[$0] != nil }
    for root in roots + inner where isKept(root) && !seen.contains(root) {
      var rest = [Line(item: .layer(root), branches: [], isBranch: false)]
      while let line = rest.popLast() {
        if case .layer(let id) = line.item, !seen.insert(id).inserted { continue }
        lines.append(line)
        rest += above(line).reversed()
      }
    }
    if kept == nil { lines += loose.map { Line(item: .container($0), branches: [], isBranch: false) } }
    return lines
  }

  private func above(_ line: Line) -> [Line] {
    guard case .layer(let id) = line.item else { return [] }
    let layers = (children[id] ?? []).filter(isKept)
    let items = layers.map { Item.layer($0) } + (containers[id] ?? []).map { Item.container($0) }
    // What is alone needs no branch: long chains would leave the screen.
    if layers.count == 1, items.count == 1 { return [Line(item: items[0], branches: line.branches, isBranch: false)] }
    let branches = line.branches.count < LayerForest.deepest ? line.branches : Array(line.branches.dropLast())
    return items.enumerated().map {
      Line(item: $0.element, branches: branches + [$0.offset < items.count - 1], isBranch: true)
    }
  }

  private func isKept(_ id: LayerID) -> Bool { kept?.contains(id) ?? true }

  // MARK: Shown

  /// The lines for people.
  func text(_ lines: [Line], for terminal: Terminal, isWhole: Bool = false) -> String {
    let (more, last, through) = terminal.hasBoxes ? ("├─ ", "└─ ", "│  ") : ("|- ", "`- ", "|  ")
    var text = ""
    for line in lines {
      var prefix = ""
      for (place, goesOn) in line.branches.enumerated() {
        let isOwn = line.isBranch && place == line.branches.count - 1
        prefix += isOwn ? (goesOn ? more : last) : goesOn ? through : "   "
      }
      let words = printable(words(line.item, isWhole: isWhole))
      let whole = prefix + words
      text += (terminal.width.map { shortened(whole, to: $0, .end, mark: terminal.cutMark) } ?? whole) + "\n"
    }
    return text
  }

  private func words(_ item: Item, isWhole: Bool) -> String {
    switch item {
    case .container(let container):
      let owner = view.owner(of: container).map { " (\($0.rawValue))" } ?? ""
      return "container \(name(of: container))\(owner)"
    case .layer(let id):
      let users = view.sizes.images(with: id).count
      let names = (imagesByTop[id] ?? []).flatMap { $0.names.isEmpty ? [view.name(of: $0)] : $0.names }
      return "layer \(isWhole ? id.rawValue : shortID(id.rawValue))  \(sizeText(view.sizes.size(of: id)))"
        + (names.isEmpty ? "" : "  <- " + names.joined(separator: ", "))
        + (users > 1 ? "  (shared by \(users) images)" : "")
    }
  }

  /// The object for a layer; nil for a line about something else.
  func document(_ line: Line) -> JSONValue? {
    guard case .layer(let id) = line.item else { return nil }
    let images = view.sizes.images(with: id)
    let size = view.sizes.size(of: id)
    return .object([
      .init("id", .string(id.rawValue)), .init("parent", .optional(view.layers[id]?.record.parent?.rawValue)),
      .init("size", .optional(size)), .init("shared", .bool(images.count > 1)),
      .init("images", .texts(images.map(\.id.rawValue))),
      .init("top-of", .texts((imagesByTop[id] ?? []).map(\.id.rawValue))),
      .init("containers", .texts((containers[id] ?? []).map(\.id.rawValue))),
      .init("children", .texts((children[id] ?? []).map(\.rawValue))),
    ])
  }
}
