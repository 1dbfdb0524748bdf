// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive

/// The tree that the archives of a chain of layers say there is, base layer first (store-semantics 22.3).
///
/// A value: the tree of a child begins as a copy of its parent's and shares what it does not change. What archives leave
/// open (attributes of directories without entry, ways through links) is open here too, so that no difference is claimed
/// where the archives do not decide.
package struct ExpectedTree {
  /// An object.
  struct Node {
    /// What its header says; `nil` if no header of the latest layer that touched it does.
    var header: TarHeader?
    /// Whether it is a directory; these may have children.
    var isDirectory: Bool
    /// The entries, by name.
    var children: [[UInt8]: Node] = [:]
  }

  private(set) var root = Node(header: nil, isDirectory: true)
  /// Whether something in an archive cannot be followed without the tree: a name through a link, a link to nothing.
  package private(set) var isUncertain = false

  /// The tree of no layer: an empty root.
  package init() {}

  /// Adds a layer. Whiteouts mean lower layers and come first, hard links last.
  package mutating func apply(_ layer: LayerHeaders) {
    var links: [TarHeader] = []
    var others: [(path: [[UInt8]], header: TarHeader)] = []
    var removals: [(path: [[UInt8]], name: [UInt8])] = []
    var opaque: [[[UInt8]]] = []
    for header in layer.entries {
      guard let path = components(header.name) else {
        isUncertain = true
        continue
      }
      guard let name = path.last else { continue }
      if name.starts(with: ".wh.".utf8) {
        let hidden = Array(name.dropFirst(4))
        if hidden.starts(with: ".wh.".utf8) {
          if hidden.elementsEqual(".wh..opq".utf8) { opaque.append(path.dropLast()) }
        } else {
          removals.append((path.dropLast(), hidden))
        }
      } else if header.kind == .hardLink {
        links.append(header)
      } else {
        others.append((path, header))
      }
    }
    for path in opaque { change(path) { $0.children = [:] } }
    for removal in removals { change(removal.path) { $0.children[removal.name] = nil } }
    for entry in others { put(entry.header, at: entry.path) }
    for header in links { link(header) }
    // Directories get their attributes last, and a directory may come after what is in it.
    for entry in others where entry.header.kind == .directory {
      change(entry.path, touches: false) { if $0.isDirectory { $0.header = entry.header } }
    }
  }

  private mutating func put(_ header: TarHeader, at path: [[UInt8]]) {
    guard let name = path.last else { return }
    change(path.dropLast()) { parent in
      let isDirectory = header.kind == .directory
      if isDirectory, let known = parent.children[name], known.isDirectory {
        parent.children[name]?.header = header
      } else {
        parent.children[name] = Node(header: header, isDirectory: isDirectory)
      }
    }
  }

  private mutating func link(_ header: TarHeader) {
    guard let path = components(header.name), let name = path.last, let target = components(header.linkName),
      let node = find(target), !node.isDirectory
    else {
      isUncertain = true
      return
    }
    change(path.dropLast()) { $0.children[name] = node }
  }

  private func find(_ path: [[UInt8]]) -> Node? {
    var node = root
    for name in path {
      guard let child = node.children[name] else { return nil }
      node = child
    }
    return node
  }

  /// Changes the directory at a path; missing ones are made, without attributes. What is in a directory changes its
  /// times, and with some drivers all attributes, so these are open unless the layer has an entry for it.
  private mutating func change(
    _ path: some Collection<[UInt8]>, touches: Bool = true, _ body: (inout Node) -> Void
  ) {
    var isUncertain = isUncertain
    Self.change(&root, path[...], touches, &isUncertain, body)
    self.isUncertain = isUncertain
  }

  private static func change<Path: Collection<[UInt8]>>(
    _ node: inout Node, _ path: Path, _ touches: Bool, _ isUncertain: inout Bool, _ body: (inout Node) -> Void
  ) {
    guard let name = path.first else {
      if touches { node.header = nil }
      return body(&node)
    }
    var child = node.children.removeValue(forKey: name) ?? Node(header: nil, isDirectory: true)
    if child.isDirectory {
      if touches { child.header = nil }
      change(&child, path.dropFirst(), touches, &isUncertain, body)
    } else {
      isUncertain = true
    }
    node.children[name] = child
  }

  /// The parts of a name; `nil` if it climbs.
  private func components(_ name: [UInt8]) -> [[UInt8]]? {
    let parts = name.split(separator: UInt8(ascii: "/")).map(Array.init).filter { $0 != [UInt8(ascii: ".")] }
    return parts.contains([UInt8(ascii: "."), UInt8(ascii: ".")]) ? nil : parts
  }
}
