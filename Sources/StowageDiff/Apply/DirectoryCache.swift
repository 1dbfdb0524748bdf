// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageSystem
internal import SystemPackage

/// An open directory of the tree being written.
final class OpenDirectory {
  /// The name it was reached by, relative to the root; empty for the root.
  let path: [UInt8]
  private let descriptor: OwnedDescriptor
  /// True if objects made here get exactly the owner and the mode (less the process' umask) they are made with: no set-group-ID
  /// bit and no default access control list.
  private(set) var createsPlainly = false

  /// Its descriptor, open for reading, so that attributes can be set on it.
  var rawValue: CInt { descriptor.rawValue }

  init(path: [UInt8], descriptor: consuming OwnedDescriptor) throws(Errno) {
    self.path = path
    self.descriptor = descriptor
    try examine()
  }

  /// Finds out how objects are made here; to be done again once mode or attributes have changed.
  func examine() throws(Errno) {
    let status = try Syscall.fstat(descriptor.rawValue)
    let list = try withCString(copying: "system.posix_acl_default".utf8) { (name) throws(Errno) in
      try ExtendedAttributes.value(descriptor.rawValue, name)
    }
    createsPlainly = status.permissions & 0o2000 == 0 && list == nil
  }
}

/// Directories of one tree by name, resolved inside its root whatever symbolic links say, with a few kept open.
///
/// Archives list a directory's entries together, so most look-ups are answered without a system call. Whoever removes or
/// replaces a directory or a link, or changes a directory's mode, must call ``invalidate()``.
final class DirectoryCache {
  /// The root itself.
  let root: OpenDirectory
  private let resolver: LayerRoot
  private var recent: [OpenDirectory] = []

  /// Hard links, deep trees and interleaved directories profit from more than one; the number is not critical.
  private static let capacity = 8

  /// Takes over the open root.
  init(owning descriptor: consuming OwnedDescriptor) throws(Errno) {
    resolver = LayerRoot(owning: try descriptor.duplicate())
    root = try OpenDirectory(path: [], descriptor: descriptor)
  }

  /// The directory at a clean relative path, links in it followed inside the root.
  func directory(at path: ArraySlice<UInt8>) throws(Errno) -> OpenDirectory {
    if path.isEmpty { return root }
    if let first = recent.first, first.path.elementsEqual(path) { return first }
    if let index = recent.firstIndex(where: { $0.path.elementsEqual(path) }) {
      let found = recent.remove(at: index)
      recent.insert(found, at: 0)
      return found
    }
    let opened = try OpenDirectory(path: Array(path), descriptor: try open(path))
    if recent.count >= Self.capacity { recent.removeLast() }
    recent.insert(opened, at: 0)
    return opened
  }

  /// Forgets everything but the root.
  func invalidate() { recent.removeAll(keepingCapacity: true) }

  private func open(_ path: ArraySlice<UInt8>) throws(Errno) -> OwnedDescriptor {
    // What is too long for one call is gone down from as far as one call gets, not following links, which could lead out of
    // what is resolved. The trees of containers can be deeper than a stack.
    let slash = UInt8(ascii: "/")
    var end = path.endIndex
    if path.count > EntryPath.longestPath {
      end = path.prefix(EntryPath.longestPath + 1).lastIndex(of: slash) ?? path.startIndex
    }
    var current = OwnedDescriptor(
      owning: try withCString(copying: path[..<end]) { (name) throws(Errno) in
        try resolver.open(name, [.readOnly, .directory]).release()
      })
    for component in path[end...].split(separator: slash) {
      current = OwnedDescriptor(
        owning: try withCString(copying: component) { (name) throws(Errno) in
          try Syscall.openat(current.rawValue, name, [.readOnly, .directory, .noFollow]).release()
        })
    }
    return current
  }
}
