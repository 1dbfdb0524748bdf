// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// A tree whose objects are looked up by path, resolved inside it.
struct ReadableTree {
  private let directories: DirectoryCache

  /// Opens the root.
  init(_ root: FilePath) throws(StorageError) {
    do throws(Errno) {
      directories = try DirectoryCache(owning: try Syscall.open(root, [.readOnly, .directory]))
    } catch {
      throw .failed("open", root, error)
    }
  }

  /// The open directory of an object.
  func parent(of path: EntryPath) throws(Errno) -> OpenDirectory { try directories.directory(at: path.parent) }

  /// Metadata of an object, of a link itself.
  func status(of path: EntryPath) throws(Errno) -> FileStatus {
    let parent = try parent(of: path)
    return try path.withBase { (name) throws(Errno) in try Syscall.fstatat(parent.rawValue, name) }
  }
}
