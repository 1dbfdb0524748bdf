// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive

/// The tree that the archives of a chain of layers say there is, base layer first (store-semantics 22.3): the one that
/// extraction makes of them (archive-and-diff 4.2), entry by entry.
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
    /// The number of a file with several names: all of them show what ``sharedFiles`` says.
    var file: Int?
    /// How exactly it is what its header says.
    var form = LayerHeaders.Form.extracted
    /// The entries, by name.
    var children: [[UInt8]: Node] = [:]
  }

  /// A file with several names: the last of its entries decides for all.
  struct SharedFile {
    /// What that entry says, with the kind and the size of the first.
    var header: TarHeader
    /// Whether mode and times may be those of an earlier entry: the reference leaves them if it does not find the target under
    /// the very name in the entry, or if that is a symbolic link.
    var isOpen = false
  }

  private(set) var root = Node(header: nil, isDirectory: true)
  private(set) var sharedFiles: [SharedFile] = []
  /// Whether something in an archive cannot be followed without the tree: a name through a link, a link to nothing.
  package private(set) var isUncertain = false
  /// Whether a layer below was not extracted from an archive by the rules: a difference to it is no proof of damage.
  package private(set) var isApproximate = false

  /// Whether owners were changed in place, which gives directories other times.
  private(set) var hasOpenDirectoryTimes = false

  /// The tree of no layer: an empty root.
  package init() {}

  /// What is said about an object: for a file with several names, by the last entry for any of them.
  func header(of node: Node) -> TarHeader? { node.file.map { sharedFiles[$0].header } ?? node.header }

  /// Adds a layer. Whiteouts mean lower layers and come first.
  package mutating func apply(_ layer: LayerHeaders) {
    if layer.form != .extracted { isApproximate = true }
    if layer.form == .copiedForMaps { hasOpenDirectoryTimes = true }
    var others: [(path: [[UInt8]], header: TarHeader)] = []
    var whiteouts = Whiteouts()
    for header in layer.entries {
      guard let path = components(header.name) else {
        isUncertain = true
        continue
      }
      guard let name = path.last else { continue }
      // What AUFS keeps for itself becomes something or nothing depending on the driver.
      if path.first?.starts(with: aufsPrefix) == true, path != [opaqueMarker] {
        isUncertain = true
      } else if name.starts(with: whiteoutPrefix) {
        whiteouts.add(path.dropLast(), name)
      } else {
        others.append((path, header))
      }
    }
    if whiteouts.areNested { isUncertain = true }
    for path in whiteouts.opaque { change(path) { $0.children = [:] } }
    for removal in whiteouts.removals { change(removal.path) { $0.children[removal.name] = nil } }
    for entry in others { put(entry.header, at: entry.path, layer.form) }
    // Directories get their times last, and a directory may come after what is in it.
    for entry in others where entry.header.kind == .directory && find(entry.path)?.isDirectory == true {
      change(entry.path, touches: false) { ($0.header, $0.form) = (entry.header, layer.form) }
    }
  }

  private mutating func put(_ header: TarHeader, at path: [[UInt8]], _ form: LayerHeaders.Form) {
    guard let name = path.last else { return }
    if header.kind == .hardLink { return link(header, at: path, name, form) }
    change(path.dropLast()) { parent in
      let isDirectory = header.kind == .directory
      if isDirectory, let known = parent.children[name], known.isDirectory {
        parent.children[name]?.header = header
        parent.children[name]?.form = form
      } else {
        parent.children[name] = Node(header: header, isDirectory: isDirectory, form: form)
      }
    }
  }

  /// A further name of a file, whose owner, mode and times become those of this entry.
  private mutating func link(_ header: TarHeader, at path: [[UInt8]], _ name: [UInt8], _ form: LayerHeaders.Form) {
    guard let target = components(header.linkName), let last = target.last, let node = find(target),
      !node.isDirectory, var said = self.header(of: node)
    else {
      isUncertain = true
      return
    }
    (said.uid, said.gid) = (header.uid, header.gid)
    (said.mode, said.modified) = (header.mode, header.modified)
    let shared = SharedFile(header: said, isOpen: said.kind == .symbolicLink || !isPlain(header.linkName))
    let number = node.file ?? sharedFiles.count
    if node.file == nil {
      sharedFiles.append(shared)
      change(target.dropLast(), touches: false) { $0.children[last]?.file = number }
    } else {
      sharedFiles[number] = shared
    }
    change(path.dropLast()) { parent in
      parent.children[name] = Node(header: nil, isDirectory: false, file: number, form: form)
    }
  }

  /// Whether a name leads to a file as it is written, without being cleaned.
  private func isPlain(_ name: [UInt8]) -> Bool {
    let parts = name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return !parts.contains { $0.elementsEqual("..".utf8) }
      && parts.last.map { !$0.isEmpty && !$0.elementsEqual(".".utf8) } ?? false
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

  /// The parts of a name as extraction cleans it; `nil` if it is none that extraction takes.
  private func components(_ name: [UInt8]) -> [[UInt8]]? {
    guard let path = EntryPath(cleaning: name), path.count <= EntryPath.longestPath else { return nil }
    return path.bytes.split(separator: UInt8(ascii: "/")).map(Array.init)
  }
}

/// What the whiteouts of a layer hide.
private struct Whiteouts {
  private(set) var opaque: [[[UInt8]]] = []
  private(set) var removals: [(path: [[UInt8]], name: [UInt8])] = []

  mutating func add(_ directory: [[UInt8]], _ name: [UInt8]) {
    if name == opaqueMarker {
      opaque.append(directory)
    } else {
      removals.append((directory, Array(name.dropFirst(whiteoutPrefix.count))))
    }
  }

  /// Whether one of them is below another: whether its directory is there then depends on the driver.
  var areNested: Bool {
    let hidden = Set(removals.map { $0.path + [$0.name] })
    return (opaque + removals.map(\.path)).contains { path in
      path.indices.contains { hidden.contains(Array(path[...$0])) }
    }
  }
}
