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
    case tables(List)
  }

  /// The elements of an array of tables: an object, so that adding one copies none.
  final class List {
    fileprivate(set) var trees: [TOMLTree]

    fileprivate init(_ first: TOMLTree) { trees = [first] }
  }

  /// A part of a name with the place where it stands.
  typealias Name = (text: String, position: TextPosition)

  private(set) var members: [String: (keyPosition: TextPosition, item: Item)] = [:]
  private var origin: Origin
  /// Where it was begun.
  private var position: TextPosition

  init(_ origin: Origin, at position: TextPosition) {
    self.origin = origin
    self.position = position
  }

  /// The finished content. Depth is bounded by the parser's limits on names and values.
  var table: ConfigurationTable {
    members.mapValues { member in
      let value =
        switch member.item {
        case .value(let value): value
        case .table(let tree): tree.value
        case .tables(let list):
          ConfigurationValue(content: .array(list.trees.map(\.value)), position: member.keyPosition)
        }
      return ConfigurationMember(keyPosition: member.keyPosition, value: value)
    }
  }

  /// The same as a value.
  var value: ConfigurationValue { ConfigurationValue(content: .table(table), position: position) }

  /// Adds a value; false if the name is taken.
  func add(_ name: Name, _ value: ConfigurationValue) -> Bool {
    if members[name.text] != nil { return false }
    members[name.text] = (name.position, .value(value))
    return true
  }

  /// The table under a name inside a header, made if it is missing; nil if something else has the name.
  func descend(_ name: Name) -> TOMLTree? {
    switch members[name.text]?.item {
    case nil:
      let tree = TOMLTree(.implied, at: name.position)
      members[name.text] = (name.position, .table(tree))
      return tree
    case .table(let tree): return tree
    case .tables(let list): return list.trees.last
    case .value: return nil
    }
  }

  /// The table that a header opens; nil if that is not allowed.
  func open(_ name: Name) -> TOMLTree? {
    switch members[name.text]?.item {
    case nil:
      let tree = TOMLTree(.header, at: name.position)
      members[name.text] = (name.position, .table(tree))
      return tree
    case .table(let tree) where tree.origin == .implied:
      tree.origin = .header
      tree.position = name.position
      return tree
    default: return nil
    }
  }

  /// A further element of an array of tables; nil if the name is taken by something else.
  func appendTable(_ name: Name) -> TOMLTree? {
    let tree = TOMLTree(.header, at: name.position)
    switch members[name.text]?.item {
    case nil: members[name.text] = (name.position, .tables(List(tree)))
    case .tables(let list): list.trees.append(tree)
    default: return nil
    }
    return tree
  }

  /// The table for the next part of a dotted key; nil if that is not allowed.
  func dotted(_ name: Name) -> TOMLTree? {
    switch members[name.text]?.item {
    case nil:
      let tree = TOMLTree(.dotted, at: name.position)
      members[name.text] = (name.position, .table(tree))
      return tree
    case .table(let tree) where tree.origin != .header: return tree
    default: return nil
    }
  }
}
