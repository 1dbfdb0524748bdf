// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import StowageSystem
package import SystemPackage

/// Where an in-layer name is to be created: an open directory and the last component in it.
package struct NamedPlace {
  /// The directory; owned by the cache, open until its next use.
  package let directory: CInt
  /// The last component, NUL-terminated, inside the name that was given.
  package let name: UnsafePointer<CChar>
}

/// Remembers the last few parent directories of names in a layer, so that an extractor opens each directory once.
///
/// The user calls ``invalidate()`` whenever it removes or replaces a directory or a symbolic link (or renames one), since
/// a cached descriptor would still lead to the old place.
package struct ParentCache: ~Copyable {
  /// Archives list a directory's files together, with a few levels interleaved.
  private static let capacity = 8

  private struct Slot {
    var parent: [UInt8]
    var directory: SharedDescriptor
  }
  private var slots: [Slot] = []
  private var next = 0
  private var last = 0

  /// An empty cache.
  package init() {}

  /// The place of a name: its parent resolved inside `root`, and its last component.
  ///
  /// - Parameter name: NUL-terminated, cleaned (no empty, `.` or `..` component, no slash at either end), not empty.
  /// - Throws: the error number of the walk, `ENOENT` if the parent is missing, `ENOTDIR` if it is not a directory.
  package mutating func place(of name: UnsafePointer<CChar>, in root: borrowing LayerRoot) throws(Errno) -> NamedPlace {
    guard let slash = strrchr(name, 0x2f) else { return NamedPlace(directory: root.descriptor, name: name) }
    let length = UnsafePointer(slash) - name
    let bytes = UnsafeRawBufferPointer(start: name, count: length)
    let component = name + length + 1
    if last < slots.count, matches(slots[last].parent, bytes) {
      return NamedPlace(directory: slots[last].directory.rawValue, name: component)
    }
    for index in slots.indices where matches(slots[index].parent, bytes) {
      last = index
      return NamedPlace(directory: slots[index].directory.rawValue, name: component)
    }
    let parent = Array(bytes)
    let opened = SharedDescriptor(try root.open(parent, [.path, .directory]))
    let slot = Slot(parent: parent, directory: opened)
    if slots.count < Self.capacity {
      last = slots.count
      slots.append(slot)
    } else {
      slots[next] = slot
      last = next
      next = (next + 1) % Self.capacity
    }
    return NamedPlace(directory: opened.rawValue, name: component)
  }

  /// Forgets all directories.
  package mutating func invalidate() {
    slots.removeAll(keepingCapacity: true)
    next = 0
    last = 0
  }

  private func matches(_ parent: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard parent.count == bytes.count, let base = bytes.baseAddress else { return false }
    return parent.withUnsafeBytes { known in known.baseAddress.map { memcmp($0, base, bytes.count) == 0 } ?? true }
  }
}
