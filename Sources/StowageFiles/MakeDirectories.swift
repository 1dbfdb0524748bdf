// SPDX-License-Identifier: Apache-2.0
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// Creates a directory and its missing parents, like `mkdir -p`.
///
/// An existing directory is left as it is, mode and owner included. A directory that another process creates meanwhile
/// counts as existing.
///
/// - Parameters:
///   - mode: permission bits of every directory created, subject to the umask.
///   - owner: owner of every directory created; nil for the process' own.
///   - isDurable: the names of the directories created are forced to the device.
/// - Returns: true if the directory itself was created.
/// - Throws: `system`; `mkdir <path>: not a directory` if something else is there.
@discardableResult
package func makeDirectories(
  _ path: FilePath, mode: UInt32, owner: (uid: UInt32, gid: UInt32)? = nil, isDurable: Bool = false
) throws(StorageError) -> Bool {
  if path.isEmpty { return false }
  do throws(Errno) {
    try Syscall.mkdir(path, mode: mode)
  } catch {
    switch error {
    case .fileExists:
      // If it cannot be examined the first error is told.
      if let status = try? Syscall.stat(path), status.isDirectory { return false }
      throw .failed("mkdir", path, .notDirectory)
    case .noSuchFileOrDirectory:
      let parent = path.removingLastComponent()
      if parent == path || parent.isEmpty { throw .failed("mkdir", path, error) }
      try makeDirectories(parent, mode: mode, owner: owner, isDurable: isDurable)
      do throws(Errno) { try Syscall.mkdir(path, mode: mode) } catch {
        // If it cannot be examined the first error is told.
        if error == .fileExists, let status = try? Syscall.stat(path), status.isDirectory { return false }
        throw .failed("mkdir", path, error)
      }
    default:
      // A read-only parent reports EROFS or EACCES for an existing directory on some file systems.
      if let status = try? Syscall.stat(path), status.isDirectory { return false }
      throw .failed("mkdir", error == .notDirectory ? obstacle(above: path) : path, error)
    }
  }
  if let owner {
    try attempt("chown", path) { () throws(Errno) in
      try Syscall.lchown(path, uid: owner.uid, gid: owner.gid)
    }
  }
  if isDurable { try AtomicFile.syncDirectory(path.removingLastComponent()) }
  return true
}

/// The parent of a path that is no directory, which is what the reference complains about.
private func obstacle(above path: FilePath) -> FilePath {
  var place = path
  while true {
    let parent = place.removingLastComponent()
    if parent == place || parent.isEmpty { return path }
    // What cannot be examined is not what is in the way.
    if let status = try? Syscall.stat(parent) { return status.isDirectory ? path : parent }
    place = parent
  }
}
