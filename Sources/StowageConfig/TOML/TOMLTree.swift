// SPDX-License-Identifier: Apache-2.0

/// A table while the document is read; afterwards it becomes a `ConfigurationValue`.
final class TOMLTree {
  /// How a table came to be, which decides who may add to it.
  enum Origin {
    /// Named only as part of a longer header; its own header may follow.
    case implied
    /// Its header was read; a second one is an error.
    case header
    /// Made by a dotted key; only further dotted keys add to it.
    case dotted
  }

  enum Item {
    case value(ConfigurationValue)
    case table(TOMLTree)
    /// `[[name]]`
    case tables([TOMLTree])
  }

  var members: [String: Item] = [:]
  var origin: Origin

  init(_ origin: Origin) { self.origin = origin }

  /// The finished content. Depth is bounded by the parser's limits on names and values.
  var value: [String: ConfigurationValue] {
    members.mapValues { item in
      switch item {
      case .value(let value): value
      case .table(let tree): .table(tree.value)
      case .tables(let trees): .array(trees.map { .table($0.value) })
      }
    }
  }

  /// The table under a name inside a header, made if it is missing; nil if something else has the name.
  func descend(_ name: String) -> TOMLTree? {
    switch members[name] {
    case nil:
      let tree = TOMLTree(.implied)
      members[name] = .table(tree)
      return tree
    case .table(let tree): return tree
    case .tables(let trees): return trees.last
    case .value: return nil
    }
  }

  /// The table that a header opens; nil if that is not allowed.
  func open(_ name: String) -> TOMLTree? {
    switch members[name] {
    case nil:
      let tree = TOMLTree(.header)
      members[name] = .table(tree)
      return tree
    case .table(let tree) where tree.origin == .implied:
      tree.origin = .header
      return tree
    default: return nil
    }
  }

  /// A further element of an array of tables; nil if the name is taken by something else.
  func appendTable(_ name: String) -> TOMLTree? {
    let tree = TOMLTree(.header)
    switch members[name] {
    case nil: members[name] = .tables([tree])
    case .tables(let trees): members[name] = .tables(trees + [tree])
    default: return nil
    }
    return tree
  }

  /// The table for the next part of a dotted key; nil if that is not allowed.
  func dotted(_ name: String) -> TOMLTree? {
    switch members[name] {
    case nil:
      let tree = TOMLTree(.dotted)
      members[name] = .table(tree)
      return tree
    case .table(let tree) where tree.origin != .header: return tree
    default: return nil
    }
  }
}
