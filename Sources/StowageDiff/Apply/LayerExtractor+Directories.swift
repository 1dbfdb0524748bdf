// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageSystem
internal import SystemPackage

extension LayerExtractor {
  /// The directory an entry goes into; missing ones are made with mode 0755 for the mapped root
  /// (archive-and-diff 14, W12), and remembered: what a lower layer has there is given when the layer is put over it.
  ///
  /// A whiteout of this tree in the place of a directory becomes an opaque directory: the archive has both.
  func directory(of path: EntryPath) throws(StorageError) -> OpenDirectory {
    if let found = try directory(of: path, keepingWhiteouts: false) { return found }
    throw .failed("open", path.bytes, .notDirectory)
  }

  /// The same; nil if a whiteout is in the way that must stay.
  func directory(of path: EntryPath, keepingWhiteouts: Bool) throws(StorageError) -> OpenDirectory? {
    var failure: Errno
    do throws(Errno) { return try directories.directory(at: path.parent) } catch { failure = error }
    // Up to the nearest directory that exists, then down again.
    var missing: [ArraySlice<UInt8>] = []
    var rest = path.parent
    while failure == .noSuchFileOrDirectory || failure == .notDirectory, !rest.isEmpty {
      missing.append(rest)
      rest = rest[..<(rest.lastIndex(of: UInt8(ascii: "/")) ?? rest.startIndex)]
      var nearest: OpenDirectory
      do throws(Errno) { nearest = try directories.directory(at: rest) } catch {
        failure = error
        continue
      }
      while let next = missing.popLast() {
        let implicit = EntryPath(relative: next)
        guard try makeImplicitDirectory(implicit, in: nearest, for: path, failure, keepingWhiteouts: keepingWhiteouts)
        else { return nil }
        do throws(Errno) { nearest = try directories.directory(at: next) } catch {
          throw .failed("open", path.bytes, error)
        }
      }
      return nearest
    }
    throw .failed("open", path.bytes, failure)
  }

  /// Makes a directory the archive has no entry for; false if a whiteout is there and is to stay.
  private func makeImplicitDirectory(
    _ implicit: EntryPath, in parent: OpenDirectory, for path: EntryPath, _ failure: Errno, keepingWhiteouts: Bool
  ) throws(StorageError) -> Bool {
    let mode: UInt32 = 0o755
    var isOpaque = false
    do throws(Errno) {
      try implicit.withBase { (name) throws(Errno) in try Syscall.mkdirat(parent.rawValue, name, mode: mode) }
    } catch .fileExists {
      let status = try status(of: implicit, in: parent)
      // A file, or a link that leads nowhere.
      guard isWhiteoutDevice(status) else { throw .failed("open", path.bytes, failure) }
      if keepingWhiteouts { return false }
      isOpaque = true
      try remove(implicit, status, in: parent)
      try calling("mkdir", implicit) { (name) throws(Errno) in try Syscall.mkdirat(parent.rawValue, name, mode: mode) }
    } catch {
      throw .failed("mkdir", implicit.bytes, error)
    }
    let owner = try owners.root()
    try implicit.withBase { (name) throws(StorageError) in
      let target = MetadataTarget.name(parent.rawValue, name)
      if options.forceMask == nil {
        try setOwner(of: target, owner, implicit, ifDifferentFrom: process.creationStatus(in: parent, mode: mode))
      }
      if process.masks(mode) || !parent.createsPlainly {
        try calling("chmod", implicit) { (name) throws(Errno) in
          try Syscall.fchmodat(parent.rawValue, name, mode: mode)
        }
      }
      if isOpaque { try markOpaque(target, implicit) }
    }
    made?.insert(implicit.bytes)
    // One that hides what lower layers have there is not theirs.
    if !isOpaque { imply(implicit) }
    return true
  }
}
