// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// What the upper directory of an overlay layer holds if its archive was extracted by the rules: the objects of its own entries,
/// and marks for what it hides of lower layers.
///
/// A layer with exactly this shows what its parent shows, differences to the parent's archives included, but for what it hides. So
/// each layer of a chain is compared by itself, and what the chain has below it is not looked at again.
package struct ExpectedUpper {
  private let tree: ExpectedTree
  /// The objects of the tree, by path.
  private var nodes: [[UInt8]: ExpectedTree.Node] = [:]
  /// Paths that are hidden.
  private var removed: Set<[UInt8]> = []
  /// Directories of which all lower content is hidden.
  private var opaque: Set<[UInt8]> = []
  /// Whether the archive does not tell by itself what is in the directory.
  private var isUncertain = false

  /// The upper directory of a layer with these headers.
  package init(_ layer: LayerHeaders) {
    var tree = ExpectedTree()
    tree.apply(LayerHeaders(entries: layer.entries.filter { !$0.namesWhiteout }, form: layer.form))
    self.tree = tree
    isUncertain = tree.isUncertain || layer.form != .extracted
    collect(tree, into: &nodes)
    for header in layer.entries where header.namesWhiteout {
      guard let path = EntryPath(cleaning: header.name), !path.isRoot else {
        isUncertain = true
        continue
      }
      add(mark: Array(path.base), in: Array(path.parent))
    }
    // What the root hides, and the kernel's mark there, are left to a look at the whole tree.
    if opaque.contains([]) { isUncertain = true }
  }

  private mutating func add(mark: [UInt8], in directory: [UInt8]) {
    if mark == opaqueMarker {
      opaque.insert(directory)
    } else {
      let name = mark.dropFirst(whiteoutPrefix.count)
      removed.insert(directory.isEmpty ? Array(name) : directory + [UInt8(ascii: "/")] + name)
    }
    // A mark needs its directory, which the archive need not mention.
    var place = directory
    while !place.isEmpty, nodes[place] == nil {
      nodes[place] = ExpectedTree.Node(header: nil, isDirectory: true)
      place.removeSubrange((place.lastIndex(of: UInt8(ascii: "/")) ?? 0)...)
    }
  }

  /// Whether what the parent shows at a path is not seen in the layer.
  package func hides(_ path: [UInt8]) -> Bool {
    nodes[path] != nil || removed.contains(path)
      || Self.ancestors(of: path).contains { place in
        removed.contains(place) || opaque.contains(place) || nodes[place].map { !$0.isDirectory } ?? false
      }
  }

  /// Whether a directory is just that; `false` also where this cannot be told by the directory alone.
  ///
  /// - Parameter maps: the maps of the real owners; empty if these are the archive's.
  /// - Throws: `system`.
  package func matches(
    _ upper: FilePath, _ attributes: OverlayAttributes, maps: IDMaps, _ limits: ComparisonLimits
  ) throws(StorageError) -> Bool {
    if isUncertain { return false }
    var missing = nodes
    var hidden = removed.filter { nodes[$0] == nil }
    let marks = OverlayMarks(attributes)
    var isEqual = true
    try walkTree(at: upper) { (entry) throws(StorageError) in
      if !isEqual { return .skip }
      if isWhiteoutDevice(entry.status) {
        isEqual = hidden.remove(entry.path) != nil
        return .skip
      }
      guard let node = missing.removeValue(forKey: entry.path) else {
        isEqual = false
        return .skip
      }
      isEqual = try isRight(entry, node, marks, maps, limits)
      return .enter
    }
    let isWhole = missing.values.allSatisfy { limits.ignoresDevices && $0.header?.isDevice == true }
    return isEqual && isWhole && hidden.isEmpty
  }

  private func isRight(
    _ entry: borrowing TreeEntry, _ node: ExpectedTree.Node, _ marks: OverlayMarks, _ maps: IDMaps,
    _ limits: ComparisonLimits
  ) throws(StorageError) -> Bool {
    let status = entry.status
    guard node.isDirectory == status.isDirectory, try !marks.haveOthers(entry) else { return false }
    if status.isDirectory {
      guard try marks.isOpaque(entry) == (opaque.contains(entry.path) || removed.contains(entry.path)) else {
        return false
      }
    }
    guard let header = node.header, !(limits.ignoresDevices && header.isDevice) else { return true }
    return attributeChanges(header, status, maps, limits.applied(to: node, in: tree)).isEmpty
  }

  /// The directories above a path, without the root.
  private static func ancestors(of path: [UInt8]) -> [[UInt8]] {
    path.indices.filter { path[$0] == UInt8(ascii: "/") }.map { Array(path[..<$0]) }
  }
}

extension OverlayMarks {
  /// Whether an object has marks that let the kernel show something else than the object: another name's content, say.
  fileprivate func haveOthers(_ entry: borrowing TreeEntry) throws(StorageError) -> Bool {
    guard entry.status.isDirectory || entry.status.kind == .regular else { return false }
    let (directory, name) = (entry.directory, entry.name)
    let names: [[UInt8]]
    do throws(Errno) { names = try ExtendedAttributes.names(directory, name) } catch {
      throw .failed("llistxattr", entry.path, error)
    }
    return names.contains { $0.starts(with: attributes.prefix.utf8) && !$0.elementsEqual(attributes.opaqueName.utf8) }
  }
}
