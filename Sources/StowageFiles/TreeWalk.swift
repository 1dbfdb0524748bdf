// SPDX-License-Identifier: Apache-2.0
package import StowageModel
package import StowageSystem
package import SystemPackage

/// One entry met by ``walkTree(_:_:leave:)``.
package struct TreeEntry {
  /// The open directory that contains the entry.
  package let directory: CInt
  /// NUL-terminated name in `directory`; valid during the visit.
  package let name: UnsafePointer<CChar>
  /// Path relative to the walk's root, bytes, without leading slash.
  package let path: [UInt8]
  /// Metadata; of a symbolic link itself.
  package let status: FileStatus
}

/// What to do after a visit.
package enum WalkDecision: Sendable {
  /// Enter the entry if it is a directory.
  case enter
  /// Leave out what is below the entry.
  case skip
}

/// Visits everything below an open directory, names sorted by bytes, each directory before its content.
///
/// Symbolic links are not followed; mount points are entered. The root itself is not visited. One descriptor is open per
/// level (see `raiseDescriptorLimit`); the thread's stack does not limit the depth. Entries that vanish during the walk are left out.
///
/// - Parameters:
///   - visit: called for each entry; decides whether a directory is entered.
///   - leave: called for each entered directory after its content.
/// - Throws: `system`, or what the closures throw.
package func walkTree(
  _ root: CInt, _ visit: (borrowing TreeEntry) throws(StorageError) -> WalkDecision,
  leave: ((borrowing TreeEntry) throws(StorageError) -> Void)? = nil
) throws(StorageError) {
  try walkDirectory(root, [], visit, leave)
}

/// Visits everything below a host directory. See ``walkTree(_:_:leave:)``.
package func walkTree(
  at root: FilePath, _ visit: (borrowing TreeEntry) throws(StorageError) -> WalkDecision,
  leave: ((borrowing TreeEntry) throws(StorageError) -> Void)? = nil
) throws(StorageError) {
  let descriptor = try attempt("open", root) { () throws(Errno) in try Syscall.open(root, [.readOnly, .directory]) }
  try walkDirectory(descriptor.rawValue, [], visit, leave)
}

/// A directory the walk is in.
private struct WalkLevel {
  /// Keeps the directory open; nil for the root, which the caller keeps open.
  var owner: SharedDescriptor?
  var directory: CInt
  /// Entries not yet visited, the next one last; each with its NUL.
  var names: [[UInt8]]
  /// How the directory itself was met, for `leave`: its name with NUL, and its metadata. Nil for the root.
  var origin: (name: [UInt8], status: FileStatus)?
}

/// The walk itself. A loop with its own stack: the depth of an untrusted tree must not be that of the thread's stack.
private func walkDirectory(
  _ root: CInt, _ prefix: [UInt8], _ visit: (borrowing TreeEntry) throws(StorageError) -> WalkDecision,
  _ leave: ((borrowing TreeEntry) throws(StorageError) -> Void)?
) throws(StorageError) {
  var path = prefix
  var levels = [try openLevel(nil, root, path, nil)]
  while var level = levels.popLast() {
    guard let name = level.names.popLast() else {
      guard let origin = level.origin, let parent = levels.last else { return }
      if let leave {
        try withEntry(parent.directory, origin.name, path, origin.status) { (entry) throws(StorageError) in
          try leave(entry)
        }
      }
      // The name with its NUL is as long as the name with the slash before it, which the first level lacks.
      path.removeLast(min(path.count, origin.name.count))
      continue
    }
    levels.append(level)
    let parentLength = path.count
    if !path.isEmpty { path.append(0x2f) }
    path.append(contentsOf: name.dropLast())
    if let child = try visitEntry(level.directory, name, path, visit) {
      levels.append(child)
    } else {
      path.removeLast(path.count - parentLength)
    }
  }
}

/// Visits one entry; the level to go on with if it is a directory to enter.
private func visitEntry(
  _ directory: CInt, _ name: [UInt8], _ path: [UInt8],
  _ visit: (borrowing TreeEntry) throws(StorageError) -> WalkDecision
) throws(StorageError) -> WalkLevel? {
  let status: FileStatus
  let bare = Array(name.dropLast())
  do throws(Errno) {
    status = try withName(bare) { (name) throws(Errno) in try Syscall.fstatat(directory, name) }
  } catch {
    if error == .noSuchFileOrDirectory { return nil }
    throw .failed("lstat", FilePath(path), error)
  }
  let decision = try withEntry(directory, name, path, status) { (entry) throws(StorageError) in try visit(entry) }
  guard decision == .enter, status.isDirectory else { return nil }
  let child: CInt
  do throws(Errno) {
    child = try withName(bare) { (name) throws(Errno) in
      try Syscall.openat(directory, name, [.readOnly, .directory, .noFollow]).release()
    }
  } catch {
    if error == .noSuchFileOrDirectory { return nil }
    throw .failed("open", FilePath(path), error)
  }
  return try openLevel(SharedDescriptor(owning: child), child, path, (name, status))
}

private func openLevel(
  _ owner: SharedDescriptor?, _ directory: CInt, _ path: [UInt8], _ origin: (name: [UInt8], status: FileStatus)?
) throws(StorageError) -> WalkLevel {
  var names = try attempt("readdir", FilePath(path)) { () throws(Errno) in try Syscall.directoryNames(directory) }
  names.reverse()
  for index in names.indices { names[index].append(0) }
  return WalkLevel(owner: owner, directory: directory, names: names, origin: origin)
}

/// Lends an entry whose name is `name`, which ends in NUL.
private func withEntry<R>(
  _ directory: CInt, _ name: [UInt8], _ path: [UInt8], _ status: FileStatus,
  _ body: (borrowing TreeEntry) throws(StorageError) -> R
) throws(StorageError) -> R {
  let result: Result<R, StorageError>? = name.withUnsafeBufferPointer { bytes in
    bytes.withMemoryRebound(to: CChar.self) { characters in
      guard let pointer = characters.baseAddress else { return nil }
      do throws(StorageError) {
        return .success(try body(TreeEntry(directory: directory, name: pointer, path: path, status: status)))
      } catch { return .failure(error) }
    }
  }
  guard let result else { throw .failed("lstat", FilePath(path), .invalidArgument) }
  return try result.get()
}
