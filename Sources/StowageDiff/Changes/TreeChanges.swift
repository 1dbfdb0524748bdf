// SPDX-License-Identifier: Apache-2.0

internal import StowageCompression
internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// The differences between two full trees (archive-and-diff 9.2, graph-drivers 20.2).
///
/// Content is not read unless that is asked for: objects count as equal if their metadata is.
///
/// - Parameters:
///   - new: the tree in question.
///   - old: what it is compared with; nil for nothing, which makes everything an addition.
///   - newMaps, oldMaps: owners are compared as seen inside, where the maps can tell.
///   - readsContent: whether files whose metadata are equal are compared byte for byte, unless they are one object that was never
///     changed; times are compared to the nanosecond then.
/// - Returns: changes sorted by the bytes of their paths. Of a deleted directory only itself, of an added one everything.
/// - Throws: `system`.
package func treeChanges(
  new: FilePath, old: FilePath?, newMaps: IDMaps = IDMaps(), oldMaps: IDMaps = IDMaps(), readsContent: Bool = false
) throws(StorageError) -> [Change] {
  var comparison = TreeComparison(newMaps: newMaps, oldMaps: oldMaps, readsContent: readsContent)
  let newRoot = try attempt("open", new) { () throws(Errno) in try Syscall.open(new, [.readOnly, .directory]) }
  if let old {
    let oldRoot = try attempt("open", old) { () throws(Errno) in try Syscall.open(old, [.readOnly, .directory]) }
    try comparison.compare(newRoot.rawValue, oldRoot.rawValue, [])
  } else {
    try comparison.addAll(newRoot.rawValue, [])
  }
  return comparison.changes.sorted { $0.path.lexicographicallyPrecedes($1.path) }
}

/// The size in bytes of what changes add or modify: sizes of non-directories below `root`, each file once
/// (archive-and-diff 9.4). What cannot be looked at is logged and left out.
package func changesSize(_ changes: [Change], in root: FilePath) throws(StorageError) -> Int64 {
  let directories = try ReadableTree(root)
  var seen: Set<FileIdentity> = []
  var size: Int64 = 0
  for change in changes where change.kind != .delete {
    let path = EntryPath(relative: change.path.drop { $0 == UInt8(ascii: "/") })
    do throws(Errno) {
      let status = try directories.status(of: path)
      if status.isDirectory || (status.linkCount > 1 && !seen.insert(FileIdentity(status)).inserted) { continue }
      size &+= status.size
    } catch {
      Log.error("Can't stat \(displayPath(path.bytes)): \(error.referenceText)")
    }
  }
  return size
}

/// Compares two trees directory by directory.
private struct TreeComparison {
  private typealias Listing = [(name: [UInt8], inode: UInt64)]

  var changes: [Change] = []
  private let newMaps: IDMaps
  private let oldMaps: IDMaps
  private let readsContent: Bool

  init(newMaps: IDMaps, oldMaps: IDMaps, readsContent: Bool) {
    self.newMaps = newMaps
    self.oldMaps = oldMaps
    self.readsContent = readsContent
  }

  /// Records the differences below a directory that is in both trees; true if there are any.
  @discardableResult
  mutating func compare(_ new: CInt, _ old: CInt, _ path: [UInt8]) throws(StorageError) -> Bool {
    let before = changes.count
    let sameDevice: Bool
    var newNames: Listing
    var oldNames: Listing
    do throws(Errno) {
      sameDevice = try Syscall.fstat(new).device == Syscall.fstat(old).device
      (newNames, oldNames) = (try listing(new), try listing(old))
    } catch {
      throw .failed("readdir", path, error)
    }
    newNames.sort { $0.name.lexicographicallyPrecedes($1.name) }
    oldNames.sort { $0.name.lexicographicallyPrecedes($1.name) }
    var (i, j) = (0, 0)
    while i < newNames.count || j < oldNames.count {
      if j == oldNames.count || (i < newNames.count && newNames[i].name.lexicographicallyPrecedes(oldNames[j].name)) {
        try add(newNames[i].name, new, path)
        i += 1
      } else if i == newNames.count || oldNames[j].name.lexicographicallyPrecedes(newNames[i].name) {
        record(child(path, oldNames[j].name), .delete)
        j += 1
      } else {
        // One object in both: nothing below it can differ.
        if !(sameDevice && newNames[i].inode == oldNames[j].inode) {
          try compareEntry(newNames[i].name, new, old, path)
        }
        i += 1
        j += 1
      }
    }
    return changes.count > before
  }

  /// Records everything below a directory as new.
  mutating func addAll(_ directory: CInt, _ path: [UInt8]) throws(StorageError) {
    var found: [Change] = []
    try walkTree(directory) { (entry) throws(StorageError) in
      found.append(Change(path: absolute(child(path, entry.path)), kind: .add))
      return .enter
    }
    changes += found
  }

  private mutating func add(_ name: [UInt8], _ directory: CInt, _ path: [UInt8]) throws(StorageError) {
    let path = child(path, name)
    record(path, .add)
    try descend(name, directory, path) { (comparison, opened) throws(StorageError) in
      try comparison.addAll(opened, path)
    }
  }

  private mutating func compareEntry(
    _ name: [UInt8], _ new: CInt, _ old: CInt, _ parent: [UInt8]
  ) throws(StorageError) {
    let path = child(parent, name)
    let (newObject, oldObject): (ComparedObject, ComparedObject)
    do throws(Errno) {
      newObject = try ComparedObject(new, name, newMaps)
      oldObject = try ComparedObject(old, name, oldMaps)
    } catch {
      throw .failed("lstat", path, error)
    }
    var isModified = !newObject.isEqual(to: oldObject)
    if !isModified, readsContent, newObject.status.kind == .regular, oldObject.status.kind == .regular,
      !newObject.isUntouched(since: oldObject)
    {
      isModified = newObject.status.modificationTime != oldObject.status.modificationTime
      if !isModified { isModified = try !hasSameContent(name, new, old, path) }
    }
    let position = changes.count
    if isModified { record(path, .modify) }
    guard newObject.status.isDirectory else { return }
    guard oldObject.status.isDirectory else {
      return try descend(name, new, path) { (comparison, opened) throws(StorageError) in
        try comparison.addAll(opened, path)
      }
    }
    try descend(name, new, path) { (comparison, newOpened) throws(StorageError) in
      try comparison.descend(name, old, path) { (comparison, oldOpened) throws(StorageError) in
        guard try comparison.compare(newOpened, oldOpened, path), !isModified else { return }
        comparison.changes.insert(Change(path: comparison.absolute(path), kind: .modify), at: position)
      }
    }
  }

  /// Whether two files of one size have the same bytes. A file that is something else by now has not.
  private func hasSameContent(_ name: [UInt8], _ new: CInt, _ old: CInt, _ path: [UInt8]) throws(StorageError) -> Bool {
    let buffers = (RawBuffer(count: 256 << 10), RawBuffer(count: 256 << 10))
    do throws(Errno) {
      let files = try withCString(copying: name) { (name) throws(Errno) in
        let flags: OpenFlags = [.readOnly, .noFollow, .nonBlocking]
        return (
          SharedDescriptor(try Syscall.openat(new, name, flags)), SharedDescriptor(try Syscall.openat(old, name, flags))
        )
      }
      while true {
        let count = try Syscall.read(files.0.rawValue, into: buffers.0.bytes)
        var filled = 0
        while filled < count {
          let rest = UnsafeMutableRawBufferPointer(rebasing: buffers.1.bytes[filled..<count])
          let more = try Syscall.read(files.1.rawValue, into: rest)
          if more == 0 { return false }
          filled += more
        }
        guard count > 0 else { return true }
        guard buffers.0.bytes[..<count].elementsEqual(buffers.1.bytes[..<count]) else { return false }
      }
    } catch .noSuchFileOrDirectory {
      return false
    } catch .tooManySymbolicLinkLevels {
      return false
    } catch {
      throw .failed("read", path, error)
    }
  }

  /// Runs `body` with a subdirectory, or not at all if the name is something else.
  private mutating func descend(
    _ name: [UInt8], _ directory: CInt, _ path: [UInt8],
    _ body: (inout TreeComparison, CInt) throws(StorageError) -> Void
  ) throws(StorageError) {
    let opened: CInt
    do throws(Errno) {
      opened = try withCString(copying: name) { (name) throws(Errno) in
        try Syscall.openat(directory, name, [.readOnly, .directory, .noFollow]).release()
      }
    } catch .notDirectory {
      return
    } catch .tooManySymbolicLinkLevels {
      return
    } catch {
      throw .failed("open", path, error)
    }
    let owned = OwnedDescriptor(owning: opened)
    try body(&self, owned.rawValue)
  }

  private func listing(_ directory: CInt) throws(Errno) -> Listing {
    var reader = DirectoryReader(borrowing: directory)
    var entries: Listing = []
    while let entry = try reader.next() { entries.append((entry.nameBytes, entry.inode)) }
    return entries
  }

  private func child(_ path: [UInt8], _ name: [UInt8]) -> [UInt8] {
    path.isEmpty ? name : path + [UInt8(ascii: "/")] + name
  }

  private func absolute(_ path: [UInt8]) -> [UInt8] { [UInt8(ascii: "/")] + path }

  private mutating func record(_ path: [UInt8], _ kind: Change.Kind) {
    changes.append(Change(path: absolute(path), kind: kind))
  }
}

/// What of an object is compared.
private struct ComparedObject {
  let status: FileStatus
  private let uid: Int
  private let gid: Int
  private let capability: [UInt8]?
  private let userAttributes: [[UInt8]: [UInt8]]
  private let target: [UInt8]

  init(_ directory: CInt, _ name: [UInt8], _ maps: IDMaps) throws(Errno) {
    (status, capability, userAttributes, target) = try withCString(copying: name) { (name) throws(Errno) in
      let status = try Syscall.fstatat(directory, name)
      let names = try ExtendedAttributes.names(directory, name)
      var user: [[UInt8]: [UInt8]] = [:]
      var capability: [UInt8]?
      for attribute in names {
        let isCapability = attribute.elementsEqual("security.capability".utf8)
        guard isCapability || attribute.starts(with: "user.".utf8) else { continue }
        let value = try withCString(copying: attribute) { (attribute) throws(Errno) in
          try ExtendedAttributes.value(directory, name, attribute)
        }
        if isCapability {
          capability = value.flatMap { FileCapability.inside($0, maps) ?? $0 }
        } else {
          user[attribute] = value
        }
      }
      let target = status.kind == .symbolicLink ? try Syscall.readlinkat(directory, name) : []
      return (status, capability, user, target)
    }
    // IDs without a place in the container are compared as they are.
    (uid, gid) = maps.toContainer(uid: Int(status.uid), gid: Int(status.gid)) ?? (Int(status.uid), Int(status.gid))
  }

  /// Whether this is the other object as it was: a snapshot or an overlay shows it under its inode, which was not changed since.
  func isUntouched(since other: ComparedObject) -> Bool {
    status.inode == other.status.inode && status.changeTime == other.status.changeTime
  }

  func isEqual(to other: ComparedObject) -> Bool {
    status.mode == other.status.mode && uid == other.uid && gid == other.gid && status.rdev == other.status.rdev
      && isSameTime(status.modificationTime, other.status.modificationTime)
      && (status.isDirectory || status.size == other.status.size) && capability == other.capability
      && userAttributes == other.userAttributes && target == other.target
  }
}
