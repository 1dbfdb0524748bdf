// SPDX-License-Identifier: Apache-2.0

/// A tree in memory that layers are applied to by the rules alone (archive-and-diff 4 and 5): no descriptors, no caches.
struct LayerModel {
  /// What a layer makes of whiteouts.
  enum Form { case overlay, plain, literal }

  /// An object; names of one file share it.
  final class Node {
    /// The typeflag of what it is.
    let type: UInt8
    var mode: UInt32
    var content: [UInt8] = []
    var link: [UInt8] = []
    var device = 0
    var time = 0
    var isOpaque = false
    var children: [[UInt8]: Node] = [:]

    init(_ type: UInt8, mode: UInt32) {
      self.type = type
      self.mode = mode
    }

    var isDirectory: Bool { type == UInt8(ascii: "5") }
    var isWhiteout: Bool { type == UInt8(ascii: "3") && device == 0 }

    /// Whether another object is this one or below it.
    func holds(_ other: Node) -> Bool { self === other || children.values.contains { $0.holds(other) } }
  }

  /// That an entry cannot be applied.
  struct Refusal: Error {}

  typealias Path = ArraySlice<[UInt8]>

  let form: Form
  /// Whether an entry for the root counts however it is written.
  let appliesRoot: Bool
  let root: Node
  /// Paths that this layer brought, in a tree that had content.
  private var made: Set<Path>?

  /// Goes on with a tree.
  init(_ form: Form, appliesRoot: Bool, root: Node) {
    self.form = form
    self.appliesRoot = appliesRoot
    self.root = root
    made = root.children.isEmpty || form == .literal ? nil : []
  }

  /// A name without `.` and `..`, which end at the root.
  static func cleaned(_ name: [UInt8]) -> Path {
    var path: Path = []
    for part in name.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
      if part.elementsEqual("..".utf8) { _ = path.popLast() } else { path.append(Array(part)) }
    }
    return path
  }

  mutating func apply(_ entry: LayerEntry) throws(Refusal) {
    let path = Self.cleaned(entry.name)
    guard let base = path.last else { return try applyRoot(entry) }
    let opaque = Array(".wh..wh..opq".utf8)
    if form == .plain, let first = path.first, first.starts(with: ".wh..wh.".utf8), path.count > 1 || first != opaque {
      return
    }
    if form != .literal, base.starts(with: ".wh.".utf8) {
      return base == opaque ? try applyOpaque(path) : try applyWhiteout(path, Array(base.dropFirst(4)))
    }
    try create(entry, path, base)
    markMade(path)
  }

  private func applyRoot(_ entry: LayerEntry) throws(Refusal) {
    guard entry.type == UInt8(ascii: "5") else { throw Refusal() }
    guard appliesRoot || entry.name.first == UInt8(ascii: "/") else { return }
    root.mode = entry.mode
  }

  private mutating func create(_ entry: LayerEntry, _ path: Path, _ base: [UInt8]) throws(Refusal) {
    let parent = try directory(path.dropLast())
    if entry.type == UInt8(ascii: "1") { return try link(entry, parent, base) }
    if entry.type == UInt8(ascii: "2"), entry.link.isEmpty { throw Refusal() }
    let old = parent.children[base]
    if entry.type == UInt8(ascii: "5"), let old, old.isDirectory {
      old.mode = entry.mode
      return
    }
    if let old { forget(old, path) }
    let node = Node(entry.type, mode: entry.mode)
    node.content = entry.content
    node.link = entry.link
    node.device = entry.device
    node.time = entry.time
    node.isOpaque = node.isDirectory && form == .overlay && old?.isWhiteout == true
    parent.children[base] = node
  }

  private mutating func link(_ entry: LayerEntry, _ parent: Node, _ base: [UInt8]) throws(Refusal) {
    let path = Self.cleaned(entry.name)
    let target = Self.cleaned(entry.link)
    guard let name = target.last, let holder = resolve(target.dropLast()), holder.isDirectory,
      let node = holder.children[name]
    else { throw Refusal() }
    if let old = parent.children[base] {
      // What is in the way may hold the target, or be it.
      if old.holds(holder) || parent === holder && base == name { throw Refusal() }
      parent.children[base] = nil
      forget(old, path)
    }
    guard !node.isDirectory else { throw Refusal() }
    parent.children[base] = node
    if node.type != UInt8(ascii: "2") { node.mode = entry.mode }
    node.time = entry.time
  }

  // MARK: Whiteouts

  private mutating func applyOpaque(_ path: Path) throws(Refusal) {
    guard let parent = try directory(path.dropLast(), keepsWhiteouts: form == .overlay) else { return }
    if form == .overlay { parent.isOpaque = true } else { removeForeign(parent, path.dropLast()) }
  }

  private mutating func applyWhiteout(_ path: Path, _ hidden: [UInt8]) throws(Refusal) {
    guard ![[], Array(".".utf8), Array("..".utf8)].contains(hidden) else { throw Refusal() }
    let place = path.dropLast() + [hidden]
    guard let parent = try directory(path.dropLast(), keepsWhiteouts: form == .overlay) else { return }
    let old = parent.children[hidden]
    if form == .plain {
      guard let old else { return }
      if made?.contains(place) ?? true {
        if old.isDirectory { removeForeign(old, place) }
      } else {
        parent.children[hidden] = nil
        forget(old, place)
      }
      return
    }
    if let old, old.isWhiteout { return }
    if let old, made?.contains(place) ?? true {
      if old.isDirectory { old.isOpaque = true }
      return
    }
    if let old { forget(old, place) }
    parent.children[hidden] = Node(UInt8(ascii: "3"), mode: 0)
  }

  /// Removes what the layer did not bring.
  private mutating func removeForeign(_ directory: Node, _ path: Path) {
    guard let made else { return }
    for (name, child) in directory.children {
      let place = path + [name]
      if !made.contains(place) {
        directory.children[name] = nil
        forget(child, place)
      } else if child.isDirectory {
        removeForeign(child, place)
      }
    }
  }

  private mutating func markMade(_ path: Path) {
    for end in path.indices { made?.insert(path[...end]) }
  }

  /// What was in a directory that goes is not there any more.
  private mutating func forget(_ old: Node, _ path: Path) {
    guard old.isDirectory else { return }
    made = made?.filter { !($0.count > path.count && $0.starts(with: path)) }
  }

  // MARK: Paths

  /// The object at a path, links followed inside the root; nil if there is none.
  func resolve(_ path: Path) -> Node? {
    var stack = [root]
    var rest = Array(path.reversed())
    var links = 0
    while let part = rest.popLast() {
      guard let current = stack.last, current.isDirectory else { return nil }
      if part.elementsEqual(".".utf8) { continue }
      if part.elementsEqual("..".utf8) {
        if stack.count > 1 { stack.removeLast() }
        continue
      }
      guard let next = current.children[part] else { return nil }
      guard next.type == UInt8(ascii: "2") else {
        stack.append(next)
        continue
      }
      links += 1
      if links > 40 { return nil }
      if next.link.first == UInt8(ascii: "/") { stack = [root] }
      rest += next.link.split(separator: UInt8(ascii: "/")).map(Array.init).reversed()
    }
    return stack.last
  }

  private mutating func directory(_ path: Path) throws(Refusal) -> Node {
    guard let found = try directory(path, keepsWhiteouts: false) else { throw Refusal() }
    return found
  }

  /// The directory at a path; what is missing of it is made. Nil if a whiteout is in the way and is to stay.
  private mutating func directory(_ path: Path, keepsWhiteouts: Bool) throws(Refusal) -> Node? {
    if let found = resolve(path), found.isDirectory { return found }
    guard let name = path.last else { return root }
    guard let parent = try directory(path.dropLast(), keepsWhiteouts: keepsWhiteouts) else { return nil }
    let old = parent.children[name]
    if let old {
      guard old.isWhiteout else { throw Refusal() }
      if keepsWhiteouts { return nil }
    }
    let node = Node(UInt8(ascii: "5"), mode: 0o755)
    node.isOpaque = old != nil && form == .overlay
    parent.children[name] = node
    markMade(path)
    return node
  }
}
