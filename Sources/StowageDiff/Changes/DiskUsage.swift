// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// What identifies a file whatever its names.
struct FileIdentity: Hashable {
  /// Device that holds it.
  let device: UInt64
  /// Inode number.
  let inode: UInt64

  init(_ status: FileStatus) {
    device = status.device
    inode = status.inode
  }
}

/// Adds up a host directory without following links (archive-and-diff 9.4, graph-drivers 23).
///
/// - Returns: the sum of the sizes in bytes of all objects that are no directories, each counted once however many names it
///   has; and the number of distinct objects, the directory itself included.
/// - Throws: `system` if the directory is missing or cannot be read. What vanishes meanwhile is left out.
package func diskUsage(of root: FilePath) throws(StorageError) -> (size: Int64, inodes: Int) {
  let status = try attempt("lstat", root) { () throws(Errno) in try Syscall.lstat(root) }
  guard status.isDirectory else { return (status.size, 1) }
  var size: Int64 = 0
  var inodes = 1
  var seen: Set<FileIdentity> = []
  try walkTree(at: root) { (entry) throws(StorageError) in
    if entry.status.isDirectory {
      inodes += 1
      return .enter
    }
    if entry.status.linkCount > 1, !seen.insert(FileIdentity(entry.status)).inserted { return .skip }
    inodes += 1
    size &+= entry.status.size
    return .skip
  }
  return (size, inodes)
}
