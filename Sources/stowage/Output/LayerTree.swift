// SPDX-License-Identifier: Apache-2.0

/// Draws layers as trees, each below its parent (cli 13.1).
struct LayerTree {
  /// One layer: a line with its identifier and one line per note.
  struct Node {
    let id: String
    /// The parent's identifier; ``base`` for a layer without one.
    let parent: String
    let notes: [String]
  }

  /// What layers without a parent hang below.
  static let base = "(base)"

  private let nodes: [Node]
  private let children: [String: [Int]]
  private var lines: [String] = []
  /// The identifiers from the root to the current node, so that damaged records cannot make an endless tree.
  private var path: Set<String> = []

  init(_ nodes: [Node]) {
    self.nodes = nodes
    children = Dictionary(grouping: nodes.indices) { nodes[$0].parent }
  }

  /// All lines: every tree whose root is no layer itself, the ones with few children first.
  ///
  /// A layer whose parent is not recorded appears below that parent's identifier. Layers in a cycle are left out.
  consuming func drawn() -> [String] {
    let known = Set(nodes.map(\.id))
    var roots: [String] = []
    var seen: Set<String> = []
    for node in nodes where !known.contains(node.parent) && seen.insert(node.parent).inserted {
      roots.append(node.parent)
    }
    let order = roots.enumerated().sorted { one, other in
      let counts = (children[one.element]?.count ?? 0, children[other.element]?.count ?? 0)
      return counts.0 == counts.1 ? one.offset < other.offset : counts.0 < counts.1
    }
    for (_, root) in order {
      lines.append(root)
      draw(below: root, prefix: "")
    }
    return lines
  }

  private mutating func draw(below parent: String, prefix: String) {
    let indices = children[parent] ?? []
    for (position, index) in indices.enumerated() {
      let node = nodes[index]
      let isLast = position == indices.count - 1
      lines.append(prefix + (isLast ? "└─" : "├─") + node.id)
      let inner = prefix + (isLast ? "  " : "│ ")
      for note in node.notes { lines.append(inner + note) }
      guard path.insert(node.id).inserted else { continue }
      draw(below: node.id, prefix: inner)
      path.remove(node.id)
    }
  }
}
