// SPDX-License-Identifier: Apache-2.0
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// Tells how many bytes the deletion of files and trees gives back to the file system.
///
/// Allocated space counts, not sizes: sparse files are small. A file with several names counts when the last of them was
/// added, since others keep its space. What reflinks share is counted as if it were not shared. Another file system mounted
/// inside is left out.
package struct SpaceMeter: Sendable {
  private struct Identity: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  private var names: [Identity: UInt64] = [:]

  /// Nothing added yet.
  package init() {}

  /// Adds a file, or a directory with all that is in it; links are not followed. Something missing is nothing.
  ///
  /// - Returns: what this path adds to the space, in bytes.
  /// - Throws: `system` if something cannot be looked at.
  package mutating func add(_ path: FilePath) throws(StorageError) -> Int64 {
    let status: FileStatus
    do throws(Errno) { status = try Syscall.lstat(path) } catch .noSuchFileOrDirectory, .notDirectory {
      return 0
    } catch {
      throw .failed("lstat", path, error)
    }
    var bytes = space(status)
    guard status.isDirectory else { return bytes }
    try walkTree(at: path) { (entry) throws(StorageError) in
      if entry.isOtherFileSystem(than: status.device) { return .skip }
      bytes += space(entry.status)
      return .enter
    }
    return bytes
  }

  private mutating func space(_ status: FileStatus) -> Int64 {
    let bytes = status.blocks * 512
    if status.isDirectory || status.linkCount < 2 { return bytes }
    let identity = Identity(device: status.device, inode: status.inode)
    let count = names[identity, default: 0] + 1
    names[identity] = count
    return count == status.linkCount ? bytes : 0
  }
}

extension TreeEntry {
  /// Whether something else is mounted here: a directory of another device than that around it, which is no subvolume of btrfs.
  package func isOtherFileSystem(than device: UInt64) -> Bool {
    guard status.isDirectory, status.device != device else { return false }
    // Where the kernel does not say, or the directory is gone, nothing is lost by going on as `du` does.
    return (try? Syscall.statx(directory, name, flags: .noFollow))?.isMountRoot ?? false
  }
}
