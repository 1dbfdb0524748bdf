// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import StowageSystem
internal import Synchronization
internal import SystemPackage

/// How the owners of a tree are changed.
package struct OwnerChangeOptions: Sendable {
  /// The old and the new maps.
  package var shift: OwnerShift
  /// Objects that keep their owner are touched too, so that an overlay copies all of them into its upper directory.
  package var touchesAll: Bool
  /// The attribute `user.containers.override_stat` gets new owners, too. Only trees with a forced mask have it.
  package var rewritesOverrides: Bool

  /// Makes options.
  package init(_ shift: OwnerShift, touchesAll: Bool = false, rewritesOverrides: Bool = false) {
    self.shift = shift
    self.touchesAll = touchesAll
    self.rewritesOverrides = rewritesOverrides
  }
}

/// Changes the owners of everything below an open directory, the directory itself left as it is (graph-drivers 22).
///
/// Set-ID bits and `security.capability`, which the kernel drops with a change of owner, are put back. A file with several
/// names is changed once; its further names are made anew from the first, which mends links that a copy-up has broken.
/// Modification times stay. Links are never followed, mounts are entered; works on all processors.
///
/// Nobody else may change the tree meanwhile. After a failure part of it is changed.
///
/// - Parameter root: open for reading; may be in a mount that is attached nowhere.
/// - Throws: `invalidMappings` (`mapping host ID pair … to container: …`) for owners that the old maps do not have;
///   `system` with the path inside the tree.
package func changeOwners(below root: CInt, _ options: OwnerChangeOptions) throws(StorageError) {
  let changer: OwnerChanger
  do throws(Errno) { changer = try OwnerChanger(root, options) } catch {
    throw .failed("open", "/".utf8, error)
  }
  // More than eight get into each other's way in the kernel's directories.
  PlainThread.runTogether(min(processorCount, 8)) { changer.work() }
  if let failure = changer.pieces.firstFailure { throw failure }
}

/// A directory being worked on.
private final class Level: Sendable {
  let descriptor: SharedDescriptor
  let path: [UInt8]
  let status: FileStatus
  /// Pieces of the directory's entries that are not done.
  let openPieces = Atomic<Int>(1)
  /// Whether names in the directory were made anew.
  let isDisturbed = Atomic<Bool>(false)

  init(_ descriptor: consuming OwnedDescriptor, path: [UInt8], _ status: FileStatus) {
    self.descriptor = SharedDescriptor(descriptor)
    self.path = path
    self.status = status
  }

  func path(of name: [UInt8]) -> [UInt8] { path.isEmpty ? name : path + [UInt8(ascii: "/")] + name }
}

/// What a thread does at a time.
private enum Piece: Sendable {
  /// The content of a directory.
  case directory(in: Level, name: [UInt8], FileStatus)
  /// Some entries of a directory.
  case entries(of: Level, [[UInt8]])
}

/// Where a file with several names was met first.
private struct FirstPlace: Sendable {
  let path: EntryPath
  /// The directory, if its path is too long for one call.
  let directory: SharedDescriptor?
}

/// One change in progress.
private final class OwnerChanger: Sendable {
  /// So many entries are worth a turn of another thread.
  private static let share = 256

  let pieces: WorkStack<Piece>
  private let options: OwnerChangeOptions
  private let root: LayerRoot
  /// Held while a file with several names is changed, so that no other name of it is met half done.
  private let firstPlaces = Mutex<[FileIdentity: FirstPlace]>([:])

  init(_ root: CInt, _ options: OwnerChangeOptions) throws(Errno) {
    self.options = options
    self.root = LayerRoot(owning: try Syscall.openat(root, ".", [.readOnly, .directory]))
    let top = Level(try Syscall.openat(root, ".", [.readOnly, .directory]), path: [], try Syscall.fstat(root))
    pieces = WorkStack(.entries(of: top, try Syscall.directoryNames(top.descriptor.rawValue)))
  }

  /// A thread's work.
  func work() {
    while let piece = pieces.take() {
      do throws(StorageError) {
        switch piece {
        case .directory(let parent, let name, let status): try enter(name, in: parent, status)
        case .entries(let level, let names): try change(names, in: level)
        }
        pieces.finish()
      } catch {
        pieces.finish(error)
      }
    }
  }

  private func enter(_ name: [UInt8], in parent: Level, _ status: FileStatus) throws(StorageError) {
    let path = parent.path(of: name)
    let level: Level
    let names: [[UInt8]]
    do throws(Errno) {
      let descriptor = OwnedDescriptor(
        owning: try withCString(copying: name) { (name) throws(Errno) in
          try Syscall.openat(parent.descriptor.rawValue, name, [.readOnly, .directory, .noFollow]).release()
        })
      level = Level(descriptor, path: path, status)
      names = try Syscall.directoryNames(level.descriptor.rawValue)
    } catch {
      throw .failed("open", path, error)
    }
    if names.count <= OwnerChanger.share { return try change(names, in: level) }
    let starts = stride(from: 0, to: names.count, by: OwnerChanger.share)
    let parts = starts.map { Array(names[$0..<min($0 + OwnerChanger.share, names.count)]) }
    level.openPieces.store(parts.count, ordering: .sequentiallyConsistent)
    pieces.add(parts.map { .entries(of: level, $0) })
  }

  private func change(_ names: [[UInt8]], in level: Level) throws(StorageError) {
    var directories: [Piece] = []
    for name in names {
      let path = EntryPath(relative: level.path(of: name))
      let status: FileStatus
      do throws(Errno) {
        status = try path.withBase { (base) throws(Errno) in try Syscall.fstatat(level.descriptor.rawValue, base) }
      } catch {
        throw .failed("lstat", path.bytes, error)
      }
      if status.isDirectory {
        try change(path, in: level, status)
        directories.append(.directory(in: level, name: name, status))
      } else if status.linkCount > 1 {
        if try changeOnce(path, in: level, status) { level.isDisturbed.store(true, ordering: .relaxed) }
      } else {
        try change(path, in: level, status)
      }
    }
    try leave(level)
    pieces.add(directories)
  }

  /// Puts a directory's times back when the last of its entries is done. The kernel means to do that itself after a copy-up,
  /// but fails if two threads copy into one directory.
  private func leave(_ level: Level) throws(StorageError) {
    let rest = level.openPieces.subtract(1, ordering: .sequentiallyConsistent).newValue
    guard rest == 0, options.touchesAll || level.isDisturbed.load(ordering: .relaxed) else { return }
    try calling("utimensat", level.path) { () throws(Errno) in
      try Syscall.futimens(
        level.descriptor.rawValue, access: level.status.accessTime, modification: level.status.modificationTime)
    }
  }

  // MARK: Files with several names

  /// Changes a file at its first name; makes further names anew from the first. True for a further name.
  private func changeOnce(_ path: EntryPath, in level: Level, _ status: FileStatus) throws(StorageError) -> Bool {
    try firstPlaces.withLock { (places) throws(StorageError) -> Bool in
      let identity = FileIdentity(status)
      if let first = places[identity] {
        try self.relink(path, in: level, to: first)
        return true
      }
      // A file that stays as it is keeps all its names.
      if try self.change(path, in: level, status) {
        places[identity] = FirstPlace(
          path: path, directory: path.parent.count > EntryPath.longestPath ? level.descriptor : nil)
      }
      return false
    }
  }

  /// Puts a link to the first name in the place of another one, which exists at all times.
  private func relink(_ path: EntryPath, in level: Level, to first: FirstPlace) throws(StorageError) {
    try calling("link", path.bytes) { () throws(Errno) in
      let opened: SharedDescriptor
      if let directory = first.directory {
        opened = directory
      } else {
        opened = SharedDescriptor(
          first.path.parent.isEmpty
            ? try Syscall.openat(root.descriptor, ".", [.path, .directory])
            : try root.open(Array(first.path.parent), [.path, .directory]))
      }
      let temporary = Array(".stowage-link-\(UInt64.random(in: .min ... .max))".utf8)
      let (here, there) = (level.descriptor.rawValue, opened.rawValue)
      try withCString(copying: temporary) { (temporary) throws(Errno) in
        try first.path.withBase { (base) throws(Errno) in try Syscall.linkat(there, base, here, temporary) }
        try path.withBase { (base) throws(Errno) in
          do throws(Errno) { try Syscall.renameat2(here, temporary, here, base) } catch {
            // The error that led here is told; the tree is thrown away.
            try? Syscall.unlinkat(here, temporary)
            throw error
          }
        }
        // Two names of one file: the kernel calls that a success and leaves both.
        do throws(Errno) { try Syscall.unlinkat(here, temporary) } catch {
          if error != .noSuchFileOrDirectory { throw error }
        }
      }
    }
  }

  // MARK: One object

  /// Changes an object; false if that is not necessary.
  @discardableResult
  private func change(_ path: EntryPath, in level: Level, _ status: FileStatus) throws(StorageError) -> Bool {
    let owner = try options.shift.owner(of: status, path.bytes)
    let keepsOwner = owner.uid == status.uid && owner.gid == status.gid
    if keepsOwner, !options.touchesAll, !options.rewritesOverrides { return false }
    let directory = level.descriptor.rawValue
    try calling("lchown", path.bytes, owner) { () throws(Errno) in
      try path.withBase { (name) throws(Errno) in
        let kept = try KeptAttributes(directory, name, status, options)
        if !keepsOwner || options.touchesAll {
          try Syscall.fchownat(directory, name, uid: owner.uid, gid: owner.gid)
          if status.kind != .symbolicLink, status.permissions & 0o6000 != 0 {
            try Syscall.fchmodat(directory, name, mode: status.permissions)
          }
        }
        try kept.restore(directory, name)
      }
    }
    return true
  }

  private func calling(
    _ call: String, _ path: some Collection<UInt8>, _ owner: ApplyOptions.Owner? = nil,
    _ body: () throws(Errno) -> Void
  ) throws(StorageError) {
    do throws(Errno) { try body() } catch {
      if let owner { throw ownerFailure(owner, path, error) }
      throw .failed(call, path, error)
    }
  }
}

/// Attributes that a change of owner drops or makes wrong, as they have to be afterwards.
private struct KeptAttributes {
  private static let override = Array("user.containers.override_stat".utf8)

  private var values: [(name: [UInt8], value: [UInt8])] = []

  init(
    _ directory: CInt, _ entry: UnsafePointer<CChar>, _ status: FileStatus, _ options: OwnerChangeOptions
  ) throws(Errno) {
    guard status.kind == .regular || (status.isDirectory && options.rewritesOverrides) else { return }
    let names = try ExtendedAttributes.names(directory, entry)
    if names.contains(FileCapability.name) {
      guard let value = try KeptAttributes.read(FileCapability.name, directory, entry) else { return }
      let inside = FileCapability.inside(value, options.shift.from)
      // One that counts for nobody inside counts for nobody in the copy.
      if let inside, let stored = FileCapability.stored(inside, options.shift.to) {
        values.append((FileCapability.name, stored))
      }
    }
    if options.rewritesOverrides, names.contains(KeptAttributes.override) {
      guard let value = try KeptAttributes.read(KeptAttributes.override, directory, entry) else { return }
      if let changed = options.shift.override(value) { values.append((KeptAttributes.override, changed)) }
    }
  }

  func restore(_ directory: CInt, _ entry: UnsafePointer<CChar>) throws(Errno) {
    for (name, value) in values { try MetadataTarget.name(directory, entry).setAttribute(name, value) }
  }

  private static func read(
    _ name: [UInt8], _ directory: CInt, _ entry: UnsafePointer<CChar>
  ) throws(Errno) -> [UInt8]? {
    try withCString(copying: name) { (name) throws(Errno) in try Syscall.getxattrat(directory, entry, name) }
  }
}

extension OwnerShift {
  /// The value of `user.containers.override_stat` for the new maps; `nil` if it is not one that can be understood, or its
  /// owners have no place in the old maps.
  fileprivate func override(_ value: [UInt8]) -> [UInt8]? {
    let fields = value.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3, let uid = UInt32(String(decoding: fields[0], as: UTF8.self)),
      let gid = UInt32(String(decoding: fields[1], as: UTF8.self)), let owner = try? owner(uid: uid, gid: gid)
    else { return nil }
    return Array("\(owner.uid):\(owner.gid):".utf8) + fields[2]
  }
}
