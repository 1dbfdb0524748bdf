// SPDX-License-Identifier: Apache-2.0

import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

/// Unmounts lazily; not mounted or missing is fine.
package struct Unmount: MountStep {
  private let path: FilePath

  /// Names the mount point.
  package init(_ path: FilePath) { self.path = path }

  /// Unmounts; see ``MountExecutor/unmount(_:)``.
  package func perform() throws(StorageError) -> MountOutcome {
    try MountExecutor.unmount(path)
    return .done
  }

  /// The command that does about the same.
  package var description: String { "umount -l \(path)" }
}

/// Unmounts every entry of a directory lazily, without complaint.
package struct UnmountChildren: MountStep {
  private let path: FilePath

  /// Names the directory, which may be missing.
  package init(_ path: FilePath) { self.path = path }

  /// Unmounts; nothing fails.
  package func perform() -> MountOutcome {
    guard let entries = (try? HostFiles.entries(path)) ?? nil else { return .done }
    for entry in entries { try? MountExecutor.unmount(path.appending(entry.name)) }
    return .done
  }

  /// The command that does about the same.
  package var description: String { "umount -l \(path)/*" }
}

/// Puts a fresh directory in place of a mount point, through `<path>.1` and a rename, which detaches it from mounts that
/// linger in other namespaces; a missing one is made. On a full file system the old one stays.
package struct ReplaceMountPoint: MountStep {
  private let path: FilePath

  /// Names the mount point, where nothing is mounted here any more.
  package init(_ path: FilePath) { self.path = path }

  /// Replaces it; owner and place stay, the mode is 0700.
  ///
  /// - Throws: `replacing mount point "<path>": <reason>`.
  package func perform() throws(StorageError) -> MountOutcome {
    let fresh = FilePath("\(path).1")
    do throws(StorageError) {
      let status = try HostFiles.status(path, followingLinks: false)
      let owner = status.map { Owner(uid: $0.uid, gid: $0.gid) } ?? .root
      if try HostFiles.exists(fresh, followingLinks: false) { try removeTree(fresh) }
      try HostFiles.makeDirectory(fresh, mode: 0o700, owner: owner)
      try HostFiles.rename(fresh, path)
    } catch {
      // Nothing may stand in the way of giving space back.
      if error.isOutOfSpace, try HostFiles.isDirectory(path) { return .done }
      throw error.wrapped("replacing mount point \(goQuoted(path.string))")
    }
    return .done
  }

  /// The path.
  package var description: String { "replace \(path)" }
}
