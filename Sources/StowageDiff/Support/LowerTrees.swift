// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The lower directories of an overlay layer, nearest first, for questions of what a path was before.
///
/// Look-ups follow no links at all, as overlayfs does, so neither the layers' links nor the host's files can change an
/// answer (archive-and-diff 14, W28).
final class LowerTrees {
  /// What the lower directories say of a path.
  enum Finding {
    /// None has it.
    case nothing
    /// The nearest that speaks of it says it was deleted.
    case deleted
    /// The nearest that has it.
    case found(FileStatus)
  }

  /// Which lower directories may still speak of the entries of a directory.
  ///
  /// One that has a whiteout there hides itself and all below it.
  struct Scope {
    fileprivate var indices: Range<Int>
  }

  private var roots: [OwnedRoot] = []
  private let attributes: OverlayAttributes

  /// Opens the lower directories.
  init(_ paths: [FilePath] = [], attributes: OverlayAttributes) throws(StorageError) {
    self.attributes = attributes
    for path in paths { try append(path) }
  }

  /// Opens one more lower directory, below the others.
  func append(_ path: FilePath) throws(StorageError) {
    roots.append(
      OwnedRoot(try attempt("open", path) { () throws(Errno) in try Syscall.open(path, [.path, .directory]) }))
  }

  /// The scope of the entries of the root.
  var rootScope: Scope { Scope(indices: 0..<roots.count) }

  /// The nearest answer for a path whose directory has the given scope.
  func find(_ path: some Collection<UInt8>, in scope: Scope) throws(StorageError) -> Finding {
    for index in scope.indices {
      guard let status = try status(path, in: index) else { continue }
      return status.isWhiteout ? .deleted : .found(status.status)
    }
    return .nothing
  }

  /// The scope of the entries of the directory `path`, whose own directory has the given scope.
  func scope(of path: some Collection<UInt8>, in scope: Scope) throws(StorageError) -> Scope {
    for index in scope.indices {
      guard let status = try status(path, in: index), status.isWhiteout else { continue }
      return Scope(indices: scope.indices.lowerBound..<index)
    }
    return scope
  }

  /// The nearest answer for a path, found from the root on.
  func find(_ path: [UInt8]) throws(StorageError) -> Finding {
    var scope = rootScope
    for end in path.indices where path[end] == UInt8(ascii: "/") {
      scope = try self.scope(of: path[..<end], in: scope)
    }
    return try find(path, in: scope)
  }

  /// The directory that these trees show at a path, open for reading; `nil` if they show none.
  ///
  /// - Parameter next: more lower directories, nearest first; `nil` if there are none. In a deep chain the nearest layers mostly
  ///   have the answer, so that the others are not even opened.
  func directory(
    at path: [UInt8], next: () throws(StorageError) -> [FilePath]?
  ) throws(StorageError) -> OwnedRoot? {
    let ends = path.indices.filter { path[$0] == UInt8(ascii: "/") } + [path.endIndex]
    var index = 0
    while true {
      while index >= roots.count {
        guard let more = try next() else { return nil }
        for path in more { try append(path) }
      }
      var isLast = false
      for end in ends {
        guard let found = try status(path[..<end], in: index) else { break }
        // A file here hides all directories below.
        guard !found.isWhiteout, found.status.isDirectory else { return nil }
        let opened = try open(path[..<end], in: index)
        if end == path.endIndex { return opened }
        if try isOpaque(opened.rawValue, path[..<end]) { isLast = true }
      }
      if isLast { return nil }
      index += 1
    }
  }

  private func open(_ path: ArraySlice<UInt8>, in index: Int) throws(StorageError) -> OwnedRoot {
    do throws(Errno) {
      return OwnedRoot(try openBeneath(roots[index].rawValue, path, [.readOnly, .directory]))
    } catch {
      throw .failed("open", path, error)
    }
  }

  private func isOpaque(_ directory: CInt, _ path: ArraySlice<UInt8>) throws(StorageError) -> Bool {
    do throws(Errno) {
      return try withCString(copying: attributes.opaqueName.utf8) { (name) throws(Errno) in
        try ExtendedAttributes.value(directory, name) == [UInt8(ascii: "y")]
      }
    } catch {
      throw .failed("fgetxattr", path, error)
    }
  }

  private func status(
    _ path: some Collection<UInt8>, in index: Int
  ) throws(StorageError) -> (status: FileStatus, isWhiteout: Bool)? {
    let root = roots[index].rawValue
    do throws(Errno) {
      let handle = try openBeneath(root, path, .path)
      let status = try Syscall.fstat(handle.rawValue)
      if isWhiteoutDevice(status) { return (status, true) }
      guard status.kind == .regular, status.size == 0 else { return (status, false) }
      return (status, try hasWhiteoutMark(EntryPath(relative: Array(path)), root))
    } catch {
      // A file or a link in the place of a directory above: this one has nothing here (archive-and-diff 14, W27).
      switch error {
      case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels: return nil
      default: throw .failed("stat", path, error)
      }
    }
  }

  /// Whether an empty file stands for a deleted object. An attribute is asked for through the open directory: a handle of the
  /// file itself cannot be asked.
  private func hasWhiteoutMark(_ path: EntryPath, _ root: CInt) throws(Errno) -> Bool {
    let above = path.parent.isEmpty ? [UInt8(ascii: ".")] : Array(path.parent)
    let directory = try openBeneath(root, above, [.path, .directory])
    return try path.withBase { (base) throws(Errno) in
      try withCString(copying: (attributes.prefix + "whiteout").utf8) { (name) throws(Errno) in
        try ExtendedAttributes.value(directory.rawValue, base, name) != nil
      }
    }
  }
}

/// Opens what is at a path and follows no link, also where the kernel, or a sandbox, has no call for that.
private func openBeneath(
  _ root: CInt, _ path: some Collection<UInt8>, _ flags: OpenFlags
) throws(Errno) -> OwnedDescriptor {
  do throws(Errno) {
    return OwnedDescriptor(
      owning: try withCString(copying: path) { (name) throws(Errno) in
        try Syscall.openat2(
          root, name, flags.union(.noFollow), resolve: [.beneath, .noMagicLinks, .noSymbolicLinks]
        ).release()
      })
  } catch {
    guard error == .noFunction || error == .notPermitted else { throw error }
  }
  var directory = try Syscall.openat(root, ".", [.path, .directory])
  let parts = Array(path).split(separator: UInt8(ascii: "/")).map(Array.init)
  for part in parts.dropLast() {
    let next = try withCString(copying: part) { (name) throws(Errno) in
      try Syscall.openat(directory.rawValue, name, [.path, .directory, .noFollow]).release()
    }
    directory = OwnedDescriptor(owning: next)
  }
  let last = try withCString(copying: parts.last ?? [UInt8(ascii: ".")]) { (name) throws(Errno) in
    try Syscall.openat(directory.rawValue, name, flags.union(.noFollow)).release()
  }
  return OwnedDescriptor(owning: last)
}

/// A descriptor that can be an element of an array.
final class OwnedRoot {
  private let descriptor: OwnedDescriptor
  /// The descriptor number.
  var rawValue: CInt { descriptor.rawValue }

  init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
}
