// SPDX-License-Identifier: Apache-2.0

package import StowageModel
package import StowageSystem
package import SystemPackage

/// The few operations on single files of a store that drivers and mounts share, with errors worded as the reference words
/// them (`mkdir /a/b: no such file or directory`).
package enum HostFiles {
  /// The largest file that is read: those of drivers are meant, far above 500 ancestors with long identifiers.
  private static let sizeLimit = 1 << 20

  /// The status of a path, or `nil` if there is nothing.
  package static func status(
    _ path: FilePath, followingLinks: Bool = true
  ) throws(StorageError) -> FileStatus? {
    do throws(Errno) {
      return followingLinks ? try Syscall.stat(path) : try Syscall.lstat(path)
    } catch .noSuchFileOrDirectory, .notDirectory {
      return nil
    } catch {
      throw StorageError.failed(followingLinks ? "stat" : "lstat", path, error)
    }
  }

  /// The status of something that must exist.
  ///
  /// - Throws: `invalidOption` with `context: stat <path>: <reason>` if it cannot be looked at.
  package static func existing(
    _ path: FilePath, call: String = "stat", otherwise context: String
  ) throws(StorageError) -> FileStatus {
    do throws(Errno) {
      return try Syscall.stat(path)
    } catch {
      throw StorageError(
        .invalidOption, "\(context): \(call) \(path): \(error.referenceText)", path: path.string, cause: error)
    }
  }

  /// Whether there is something at a path. A failure to look is an error, not absence: what is not seen may be replaced or
  /// deleted.
  package static func exists(_ path: FilePath, followingLinks: Bool = true) throws(StorageError) -> Bool {
    try status(path, followingLinks: followingLinks) != nil
  }

  /// Whether there is a directory, possibly by a symbolic link.
  package static func isDirectory(_ path: FilePath) throws(StorageError) -> Bool {
    try status(path)?.kind == .directory
  }

  /// Whether an entry is the `lost+found` that `mkfs` leaves in the root of a file system, or a copy of it. It is nobody's object,
  /// in whatever directory of a store it is: no object can have this name.
  package static func isLostAndFound(_ name: String) -> Bool { name == "lost+found" }

  /// The content of a small file, or `nil` if it does not exist.
  ///
  /// - Throws: `corrupt` for more than a mebibyte, `system`.
  package static func read(_ path: FilePath) throws(StorageError) -> [UInt8]? {
    do throws(StorageError) {
      let bytes = try StoreFile.read(path, limit: sizeLimit + 1)
      if bytes.count <= sizeLimit { return bytes }
    } catch {
      switch error.errno {
      case .some(.noSuchFileOrDirectory), .some(.notDirectory): return nil
      case .some(.fileTooLarge): break
      case .some(.isDirectory):
        throw StorageError(.corrupt, "read \(path): is a directory", path: path.string, cause: Errno.isDirectory)
      default: throw error
      }
    }
    throw StorageError(.corrupt, "read \(path): file too large", path: path.string)
  }

  /// Makes one directory with exactly the 12 mode bits and the owner, whatever the umask (graph-drivers 26.8).
  package static func makeDirectory(_ path: FilePath, mode: UInt16, owner: Owner) throws(StorageError) {
    do throws(Errno) {
      try Syscall.mkdir(path, mode: UInt32(mode) & 0o777)
      let directory = try Syscall.open(path, [.readOnly, .directory, .noFollow])
      let status = try Syscall.fstat(directory.rawValue)
      if status.uid != owner.uid || status.gid != owner.gid {
        try Syscall.fchown(directory.rawValue, uid: owner.uid, gid: owner.gid)
      }
      if status.permissions != UInt32(mode) || mode & 0o6000 != 0 {
        try Syscall.fchmod(directory.rawValue, mode: UInt32(mode))
      }
    } catch {
      throw StorageError.failed("mkdir", path, error)
    }
  }

  /// Makes a directory and missing parents, durably; the mode is subject to the umask unless it `isExact`. An existing directory
  /// stays as it is.
  package static func ensureDirectory(
    _ path: FilePath, mode: UInt16, owner: Owner, isExact: Bool = false
  ) throws(StorageError) {
    do throws(Errno) {
      try Syscall.mkdir(path, mode: UInt32(mode))
      if isExact {
        let directory = try Syscall.open(path, [.readOnly, .directory, .noFollow])
        try Syscall.fchmod(directory.rawValue, mode: UInt32(mode))
      }
    } catch .fileExists {
      guard try status(path)?.kind == .directory else { throw StorageError.failed("mkdir", path, .notDirectory) }
      return
    } catch .noSuchFileOrDirectory where path.lastComponent != nil {
      let parent = path.removingLastComponent()
      try ensureDirectory(parent, mode: mode, owner: owner, isExact: isExact)
      return try ensureDirectory(path, mode: mode, owner: owner, isExact: isExact)
    } catch {
      throw StorageError.failed("mkdir", path, error)
    }
    try setOwner(path, owner)
    try AtomicFile.syncDirectory(path.removingLastComponent())
  }

  /// Refuses a symbolic link in the place of a directory of the store: what is mounted or made there would be elsewhere.
  ///
  /// - Throws: `corrupt`.
  package static func refuseLink(_ path: FilePath) throws(StorageError) {
    guard try status(path, followingLinks: false)?.kind == .symbolicLink else { return }
    throw StorageError(
      .corrupt, "\(path): a symbolic link is in the place of the directory: remove it", path: path.string)
  }

  /// Gives a directory an owner if it has another one.
  package static func setOwner(_ path: FilePath, _ owner: Owner) throws(StorageError) {
    guard let status = try status(path), status.uid != owner.uid || status.gid != owner.gid else { return }
    do throws(Errno) { try Syscall.lchown(path, uid: owner.uid, gid: owner.gid) } catch {
      throw StorageError.failed("chown", path, error)
    }
  }

  /// Makes a symbolic link; an existing entry is an error.
  package static func symlink(_ path: FilePath, to target: String) throws(StorageError) {
    do throws(Errno) { try Syscall.symlink(target: target, at: path) } catch {
      throw StorageError.failed("symlink", path, error)
    }
  }

  /// The target of a symbolic link, or `nil` if there is none.
  package static func linkTarget(_ path: FilePath) -> String? {
    (try? Syscall.readlink(path)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Removes a symbolic link if it has the expected target; failures are ignored.
  package static func removeLink(_ path: FilePath, leadingTo target: String) {
    if linkTarget(path) == target { try? Syscall.unlink(path) }
  }

  /// Sets an extended attribute of a file or directory.
  package static func setAttribute(_ path: FilePath, _ name: String, _ value: String) throws(StorageError) {
    do throws(Errno) { try Syscall.lsetxattr(path, name, Array(value.utf8)) } catch {
      throw StorageError.failed("setxattr", path, error)
    }
  }

  /// Renames within a file system.
  package static func rename(_ old: FilePath, _ new: FilePath) throws(StorageError) {
    do throws(Errno) { try Syscall.rename(old, new) } catch {
      throw StorageError.failed("rename", old, new, error)
    }
  }

  /// The entries of a directory, sorted by bytes, with the kind of each; `nil` if there is no directory.
  package static func entries(_ path: FilePath) throws(StorageError) -> [(name: String, kind: FileKind)]? {
    do throws(Errno) {
      let directory = try Syscall.open(path, [.readOnly, .directory])
      var reader = DirectoryReader(borrowing: directory.rawValue)
      var entries: [(name: String, kind: FileKind)] = []
      while let entry = try reader.next() {
        var kind = entry.kind
        if kind == .unknown { kind = try Syscall.fstatat(directory.rawValue, entry.name).kind }
        entries.append((entry.nameText, kind))
      }
      return entries.sorted { $0.name.precedesByBytes($1.name) }
    } catch .noSuchFileOrDirectory {
      return nil
    } catch {
      throw StorageError.failed("open", path, error)
    }
  }
}
