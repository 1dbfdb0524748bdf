// SPDX-License-Identifier: Apache-2.0

/// Which paths of a tree were removed with all below them, and at which step.
///
/// To look, at each removal, for all that was below would cost the square of an archive that removes many directories. So what was
/// made is only left out when it is asked for, at the price of its number of components.
struct RemovedPaths {
  /// A component of a path.
  private struct Node {
    var children: [ArraySlice<UInt8>: Int] = [:]
    /// When it was removed last; 0 for never.
    var removal = 0
  }

  /// The root, then all that is on the way to a path that was removed.
  private var nodes = [Node()]
  /// How many removals there were: what is made now is made after this step.
  private(set) var step = 0

  /// Enters that a path was removed.
  mutating func remove(_ path: ArraySlice<UInt8>) {
    var place = 0
    for component in path.split(separator: UInt8(ascii: "/")) {
      if let child = nodes[place].children[component] {
        place = child
      } else {
        nodes[place].children[component] = nodes.count
        place = nodes.count
        nodes.append(Node())
      }
    }
    step += 1
    nodes[place].removal = step
  }

  /// Whether a directory above a path, or the path itself, was removed after a step.
  func haveRemoved(_ path: ArraySlice<UInt8>, since made: Int, includingItself: Bool = true) -> Bool {
    if made == step { return false }
    var place = 0
    for component in path.split(separator: UInt8(ascii: "/")) {
      guard let child = nodes[place].children[component] else { return false }
      if nodes[child].removal > made {
        return includingItself || component.endIndex < path.endIndex
      }
      place = child
    }
    return false
  }
}
