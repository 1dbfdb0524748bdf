// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// A difference between the tree that archives say there is and a real one.
package struct TreeDifference: Hashable, Sendable {
  /// As `check` shows it: `-/path`, `+/path`, `/path(size:1￫2)`; the arrow is U+FFEB.
  package let text: String
  /// Where it is, without a leading slash.
  package let path: [UInt8]
  /// Whether only times of modification differ.
  package let isTimeOnly: Bool
}

/// What the comparison of trees leaves out because the driver's options change it (store-semantics 22.1).
package struct ComparisonLimits: Hashable, Sendable {
  /// Owners are not those of the archive.
  package var ignoresOwners = false
  /// Modes are not those of the archive.
  package var ignoresModes = false
  /// Times are not those of the archive.
  package var ignoresTimes = false
  /// Device files cannot be made here.
  package var ignoresDevices = false
  /// Permissions are not those of the archive.
  var ignoresPermissions = false
  /// Times of directories are not those of the archive.
  var ignoresDirectoryTimes = false
  /// What owners are shown as that have no place in the process' user namespace; `nil` outside of one.
  package var overflowUser: UInt32?
  /// The same for groups.
  package var overflowGroup: UInt32?

  /// Everything is compared.
  package init() {}
}

/// Compares a directory with the tree that it should be; the root itself is not compared.
///
/// - Parameter maps: the maps of the real owners; empty if these are the archive's.
/// - Returns: the differences, sorted by what follows their first character; a changed object that is no directory is there
///   twice, the second time with a leading `+` (store-semantics 22.3).
package func compareTree(
  at path: FilePath, with expected: ExpectedTree, maps: IDMaps, _ limits: ComparisonLimits
) throws(StorageError) -> [TreeDifference] {
  var limits = limits
  limits.ignoresDirectoryTimes = expected.hasOpenDirectoryTimes
  var missing: [[UInt8]: ExpectedTree.Node] = [:]
  collect(expected, into: &missing)
  var found: [TreeDifference] = []
  try walkTree(at: path) { (entry) throws(StorageError) in
    let name = "/" + String(decoding: entry.path, as: UTF8.self)
    guard let node = missing.removeValue(forKey: entry.path) else {
      found.append(
        TreeDifference(
          text: "+" + name + (entry.status.isDirectory ? "/" : ""), path: entry.path, isTimeOnly: false))
      return .enter
    }
    if node.mayBeAnything { return .skip }
    if let header = node.header, !(limits.ignoresDevices && header.isDevice) {
      let changes = attributeChanges(header, entry.status, maps, limits.applied(to: node, in: expected))
      if !changes.isEmpty {
        let text = "\(name)(\(changes.joined(separator: ",")))"
        let isTimeOnly = changes.allSatisfy { $0.hasPrefix("mtime:") }
        for sign in entry.status.isDirectory ? [""] : ["", "+"] {
          found.append(TreeDifference(text: sign + text, path: entry.path, isTimeOnly: isTimeOnly))
        }
      }
    } else if node.isDirectory != entry.status.isDirectory {
      let text = "\(name)(filetype:5￫\(entry.status.tarKind))"
      found.append(TreeDifference(text: text, path: entry.path, isTimeOnly: false))
    }
    return .enter
  }
  for (path, node) in missing
  where !node.mayBeAnything && !(limits.ignoresDevices && node.header?.isDevice == true) {
    let name = "-/" + String(decoding: path, as: UTF8.self) + (node.isDirectory ? "/" : "")
    found.append(TreeDifference(text: name, path: path, isTimeOnly: false))
  }
  return found.sorted { Array($0.text.utf8.dropFirst()).lexicographicallyPrecedes(Array($1.text.utf8.dropFirst())) }
}

/// All objects of a tree, by path.
func collect(_ tree: ExpectedTree, into all: inout [[UInt8]: ExpectedTree.Node]) {
  var pending: [(path: [UInt8], node: ExpectedTree.Node)] = [([], tree.root)]
  while let (path, node) = pending.popLast() {
    for (name, child) in node.children {
      let place = path.isEmpty ? name : path + [0x2f] + name
      pending.append((place, child))
      all[place] = ExpectedTree.Node(
        header: tree.header(of: child), isDirectory: child.isDirectory, file: child.file, form: child.form)
    }
  }
}

/// How an object differs from its header, in the words of `check`.
func attributeChanges(
  _ header: TarHeader, _ status: FileStatus, _ maps: IDMaps, _ limits: ComparisonLimits
) -> [String] {
  var changes: [String] = []
  func note(_ name: String, _ old: String, _ new: String) {
    if old != new { changes.append("\(name):\(old)￫\(new)") }
  }
  if !limits.ignoresModes { note("filetype", header.tarKind, status.tarKind) }
  if !limits.ignoresOwners {
    // An owner without a place in the maps is that of the disk, or the overflow ID: both are what a copy for maps gives.
    let inside = maps.isEmpty ? nil : maps.toContainer(uid: Int(status.uid), gid: Int(status.gid))
    if status.uid != limits.overflowUser, IDMaps(uids: maps.uids).toHost(uid: Int(header.uid), gid: 0) != nil {
      note("uid", String(header.uid), String(inside?.uid ?? Int(status.uid)))
    }
    if status.gid != limits.overflowGroup, IDMaps(gids: maps.gids).toHost(uid: 0, gid: Int(header.gid)) != nil {
      note("gid", String(header.gid), String(inside?.gid ?? Int(status.gid)))
    }
  }
  if header.tarKind == "0", status.kind == .regular { note("size", String(header.size), String(status.size)) }
  if !limits.ignoresModes, !limits.ignoresPermissions, status.kind != .symbolicLink {
    note("mode", octal(UInt32(truncatingIfNeeded: header.mode) & 0o777), octal(status.mode & 0o777))
  }
  // Times before 1970 and far ones are not kept by every file system.
  let time = header.modified.seconds
  let ignoresTimes = limits.ignoresTimes || (status.isDirectory && limits.ignoresDirectoryTimes)
  if !ignoresTimes, (0..<0x2_0000_0000).contains(time) {
    note("mtime", "0x" + String(time, radix: 16), hexadecimal(status.modificationTime.seconds))
  }
  return changes
}

private func octal(_ mode: UInt32) -> String {
  let text = String(mode, radix: 8)
  return String(repeating: "0", count: max(0, 4 - text.utf8.count)) + text
}

private func hexadecimal(_ number: Int64) -> String {
  (number < 0 ? "-0x" : "0x") + String(number.magnitude, radix: 16)
}

extension ExpectedTree.Node {
  /// Whether a partial pull has passed it over, so that what lower layers have there may still be there.
  fileprivate var mayBeAnything: Bool {
    form == .pulledInParts && (header?.isDevice == true || header?.kind == .fifo)
  }
}

extension ComparisonLimits {
  /// The limits for one object: what its layer's form gives of its header.
  func applied(to node: ExpectedTree.Node, in tree: ExpectedTree) -> ComparisonLimits {
    var limits = self
    if let file = node.file, tree.sharedFiles[file].isOpen {
      (limits.ignoresTimes, limits.ignoresPermissions) = (true, true)
    }
    guard node.form == .pulledInParts else { return limits }
    limits.ignoresTimes = true
    if node.header?.kind == .symbolicLink { limits.ignoresOwners = true }
    // Which of the entries decides about a file with several names is not told.
    if node.file != nil { (limits.ignoresOwners, limits.ignoresPermissions) = (true, true) }
    return limits
  }
}

extension TarHeader {
  var isDevice: Bool { kind == .characterDevice || kind == .blockDevice }

  /// The kind as a type flag, with all flags of regular files as `0`.
  fileprivate var tarKind: String {
    switch kind {
    case .symbolicLink, .characterDevice, .blockDevice, .directory, .fifo:
      String(UnicodeScalar(kind.rawValue))
    default: "0"
    }
  }
}

extension FileStatus {
  fileprivate var tarKind: String {
    switch kind {
    case .regular, .socket, .unknown: "0"
    case .symbolicLink: "2"
    case .characterDevice: "3"
    case .blockDevice: "4"
    case .directory: "5"
    case .fifo: "6"
    }
  }
}
