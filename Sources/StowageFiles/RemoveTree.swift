// SPDX-License-Identifier: Apache-2.0
internal import Glibc
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// Removes a file or a whole directory tree; a missing path is success.
///
/// Works with descriptors: symbolic links are removed, never followed, and a tree that is changed by somebody else
/// meanwhile cannot lead outside. Mounts at or below the path are never entered: they are detached (compared by path
/// components, not by string prefix as in the reference), then removal goes on. Busy entries are retried, at most 100
/// times with pauses of 10 ms. Subvolumes of btrfs, at or below the path, go with their quota groups, in one step where
/// they have no others inside.
///
/// - Throws: `system`, for example `unlinkat <path>: operation not permitted` for an immutable file; what could be removed
///   until then is gone.
package func removeTree(_ path: FilePath) throws(StorageError) {
  var removal = TreeRemoval(path)
  try removal.run()
}

/// One run of ``removeTree(_:)``.
private struct TreeRemoval {
  /// Descriptors kept open on the way down; deeper directories are first moved to the top.
  private static let maximumDepth = 128
  private let top: FilePath
  private var components: [[UInt8]] = []
  private var busyAttempts = 0
  private var canRestrictMounts = true
  private var flattened = 0
  private var isOnBtrfs = false
  private var topDescriptor: CInt = -1
  /// The number of components that lead to the innermost subvolume that is being emptied.
  private var subvolumeDepth = 0

  init(_ path: FilePath) { top = path }

  mutating func run() throws(StorageError) {
    while true {
      let status: FileStatus
      do throws(Errno) { status = try Syscall.lstat(top) } catch {
        if error == .noSuchFileOrDirectory || error == .notDirectory { return }
        throw .failed("lstat", top, error)
      }
      if MountTable.isMountPoint(top) {
        try detachMounts(after: .resourceBusy)
        continue
      }
      do throws(Errno) {
        if status.isDirectory {
          try removeTop(status)
        } else {
          try Syscall.unlink(top)
        }
        return
      } catch {
        switch error {
        case .noSuchFileOrDirectory where components.isEmpty: return
        case .resourceBusy, .improperLink, .directoryNotEmpty, .noSuchFileOrDirectory: try detachMounts(after: error)
        default: throw .failed("unlinkat", currentPath, error)
        }
      }
      components = []
    }
  }

  private var currentPath: FilePath {
    components.isEmpty ? top : FilePath(top.bytes + [0x2f] + components.joined(separator: [0x2f]))
  }

  /// Detaches everything mounted at or below the top, or waits a moment for what is busy for another reason.
  private mutating func detachMounts(after error: Errno) throws(StorageError) {
    busyAttempts += 1
    if busyAttempts > 100 { throw .failed("unlinkat", currentPath, error) }
    let mounts = MountTable.mounts(below: canonicalTop())
    for mount in mounts {
      do throws(Errno) { try Syscall.umount(mount, flags: [.detach, .noFollow]) } catch {
        // EINVAL: it went away meanwhile.
        if error != .invalidArgument && error != .noSuchFileOrDirectory { throw .failed("unmount", mount, error) }
      }
    }
    if mounts.isEmpty { usleep(10_000) }
    components = []
  }

  /// The top as the mount table names it: without symbolic links in its parents.
  private func canonicalTop() -> FilePath {
    let parent = top.removingLastComponent()
    guard let name = top.lastComponent,
      let handle = try? Syscall.open(parent.isEmpty ? "." : parent, [.path, .directory]),
      let target = try? Syscall.readlink(FilePath("/proc/self/fd/\(handle.rawValue)"))
    else { return top }
    return FilePath(target).appending(name)
  }

  private mutating func removeTop(_ status: FileStatus) throws(Errno) {
    let directory = try Syscall.open(top, [.readOnly, .directory, .noFollow])
    let root = directory.rawValue
    (flattened, subvolumeDepth, topDescriptor) = (0, 0, root)
    // Only decides how subvolumes are looked for.
    isOnBtrfs = (try? Syscall.fstatfs(root))?.isBtrfs ?? false
    guard isOnBtrfs, status.isSubvolumeRoot, let name = top.lastComponent else {
      try empty(root, top: root)
      return try Syscall.rmdir(top)
    }
    let path = top.removingLastComponent()
    let parent = try Syscall.open(path.isEmpty ? "." : path, [.readOnly, .directory])
    try name.string.withName { (name) throws(Errno) in try removeSubvolume(parent.rawValue, name, root) }
  }

  /// Removes all entries of an open directory.
  private mutating func empty(_ directory: CInt, top topDirectory: CInt) throws(Errno) {
    var reader = DirectoryReader(borrowing: directory)
    while true {
      var removed = 0
      while let entry = try reader.next() {
        if entry.kind == .directory || entry.kind == .unknown {
          try removeEntry(directory, entry.name, top: topDirectory)
        } else {
          try unlinkEntry(directory, entry.name)
        }
        removed += 1
      }
      // Removal may make a directory's listing skip entries, so only an empty pass ends the work.
      if removed == 0 { return }
      try reader.rewind()
    }
  }

  private mutating func unlinkEntry(_ directory: CInt, _ name: UnsafePointer<CChar>) throws(Errno) {
    do throws(Errno) { try Syscall.unlinkat(directory, name) } catch {
      if error == .noSuchFileOrDirectory { return }
      components.append(bytes(name))
      throw error
    }
  }

  /// Removes a directory, or something whose kind the listing did not tell.
  private mutating func removeEntry(
    _ directory: CInt, _ name: UnsafePointer<CChar>, top topDirectory: CInt
  ) throws(Errno) {
    // Most directories of a discarded work area are empty, and files are tried here when the kind is unknown.
    do throws(Errno) {
      try Syscall.unlinkat(directory, name, flags: .removeDirectory)
      return
    } catch {
      switch error {
      case .noSuchFileOrDirectory: return
      case .notDirectory: return try unlinkEntry(directory, name)
      case .directoryNotEmpty, .fileExists, .permissionDenied: break
      default:
        components.append(bytes(name))
        throw error
      }
    }
    if components.count - subvolumeDepth >= Self.maximumDepth { return try moveToTop(directory, name, topDirectory) }
    components.append(bytes(name))
    let child = try enter(directory, name)
    if isOnBtrfs, try Syscall.fstat(child.rawValue).isSubvolumeRoot {
      try removeSubvolume(directory, name, child.rawValue)
      components.removeLast()
      return
    }
    try empty(child.rawValue, top: topDirectory)
    try Syscall.unlinkat(directory, name, flags: .removeDirectory)
    components.removeLast()
  }

  /// Opens a subdirectory without crossing a mount (`EXDEV`) or following a link.
  private mutating func enter(_ directory: CInt, _ name: UnsafePointer<CChar>) throws(Errno) -> OwnedDescriptor {
    let flags: OpenFlags = [.readOnly, .directory, .noFollow]
    if canRestrictMounts {
      do throws(Errno) {
        return try Syscall.openat2(directory, name, flags, resolve: [.noCrossMount, .noSymbolicLinks])
      } catch {
        switch error {
        case .noFunction, .notPermitted: canRestrictMounts = false
        case .permissionDenied:
          // Not root: a directory without permissions for its owner.
          try Syscall.fchmodat(directory, name, mode: 0o700)
          return try Syscall.openat(directory, name, flags)
        default: throw error
        }
      }
    }
    let parent = try Syscall.fstat(directory)
    let child = try Syscall.openat(directory, name, flags)
    if try Syscall.fstat(child.rawValue).device != parent.device { throw .improperLink }
    if try Syscall.statx(child.rawValue, "", flags: .emptyPath).isMountRoot == true { throw .improperLink }
    return child
  }

  /// Moves a deep directory to the top, where a later pass removes it; so the number of open descriptors is bounded.
  private mutating func moveToTop(
    _ directory: CInt, _ name: UnsafePointer<CChar>, _ topDirectory: CInt
  ) throws(Errno) {
    while true {
      flattened += 1
      do throws(Errno) {
        return try ".deep-\(flattened)".withName { (target) throws(Errno) in
          try Syscall.renameat2(directory, name, topDirectory, target, flags: .noReplace)
        }
      } catch {
        if error != .fileExists { throw error }
      }
    }
  }

  private func bytes(_ name: UnsafePointer<CChar>) -> [UInt8] {
    UnsafeRawBufferPointer(start: name, count: strlen(name)).map { $0 }
  }
}

// Subvolumes of btrfs.
extension TreeRemoval {
  /// Removes a subvolume whose root directory is open, and what quotas keep about it.
  ///
  /// Without the right to delete subvolumes, or with read-only ones inside, it is emptied and goes like a directory.
  private mutating func removeSubvolume(
    _ directory: CInt, _ name: UnsafePointer<CChar>, _ root: CInt
  ) throws(Errno) {
    let id = try? Syscall.subvolumeID(root)
    if !destroySubvolume(directory, name, root, id) {
      // If it stays read-only the next step says so.
      try? Syscall.makeSubvolumeWritable(root)
      // So that neither descriptors nor the stack run out; a later pass finds it at the top.
      if components.count >= Self.maximumDepth { return try moveToTop(directory, name, topDescriptor) }
      let outer = subvolumeDepth
      subvolumeDepth = components.count
      defer { subvolumeDepth = outer }
      try empty(root, top: root)
      try Syscall.unlinkat(directory, name, flags: .removeDirectory)
    }
    if let id { removeQuotaGroup(root, id) }
  }

  /// Deletes a subvolume in one step, or after those inside of it, innermost first. False if that does not work.
  private func destroySubvolume(
    _ directory: CInt, _ name: UnsafePointer<CChar>, _ root: CInt, _ id: UInt64?
  ) -> Bool {
    do throws(Errno) {
      do throws(Errno) { try Syscall.destroySubvolume(directory, name) } catch .directoryNotEmpty {
        guard let id else { return false }
        var inside = try Syscall.childSubvolumes(root, of: id)
        var next = 0
        while next < inside.count {
          inside += try Syscall.childSubvolumes(root, of: inside[next])
          next += 1
        }
        for subvolume in inside.reversed() {
          try Syscall.destroySubvolume(root, id: subvolume)
          removeQuotaGroup(root, subvolume)
        }
        try Syscall.destroySubvolume(directory, name)
      }
      return true
    } catch {
      return false
    }
  }

  /// Older kernels leave the group of a deleted subvolume; newer ones refuse while space is freed, and then remove it.
  private func removeQuotaGroup(_ descriptor: CInt, _ subvolume: UInt64) {
    try? Syscall.removeQuotaGroup(descriptor, of: subvolume)
  }
}

extension String {
  /// Lends the text as a NUL-terminated name, keeping the error type of `body`.
  func withName<R>(_ body: (UnsafePointer<CChar>) throws(Errno) -> R) throws(Errno) -> R {
    let result: Result<R, Errno> = withCString { pointer in
      do throws(Errno) { return .success(try body(pointer)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
