// SPDX-License-Identifier: Apache-2.0

package import StowageFiles
package import StowageModel
package import SystemPackage

/// Makes a directory and its missing parents; an existing one stays as it is. New ones get the owner.
package struct EnsureDirectory: MountStep {
  private let path: FilePath
  private let mode: UInt16
  private let owner: Owner

  /// Describes the directory; the mode is subject to the umask.
  package init(_ path: FilePath, mode: UInt16, owner: Owner) {
    self.path = path
    self.mode = mode
    self.owner = owner
  }

  /// Makes what is missing.
  package func perform() throws(StorageError) -> MountOutcome {
    try HostFiles.refuseLink(path)
    try HostFiles.ensureDirectory(path, mode: mode, owner: owner)
    return .done
  }

  /// Path, mode in octal, owner.
  package var description: String { "mkdir \(path) mode \(String(mode, radix: 8)) owner \(owner.uid):\(owner.gid)" }
}

/// Gives a directory (itself only) an owner, if different.
package struct SetOwner: MountStep {
  private let path: FilePath
  private let owner: Owner

  /// Names the directory and its owner-to-be.
  package init(_ path: FilePath, _ owner: Owner) {
    self.path = path
    self.owner = owner
  }

  /// Changes the owner.
  package func perform() throws(StorageError) -> MountOutcome {
    try HostFiles.setOwner(path, owner)
    return .done
  }

  /// Owner and path.
  package var description: String { "chown \(owner.uid):\(owner.gid) \(path)" }
}

/// Deletes a tree; missing is fine.
package struct RemoveTree: MountStep {
  private let path: FilePath

  /// Names the tree.
  package init(_ path: FilePath) { self.path = path }

  /// Deletes it; mounts inside are detached.
  package func perform() throws(StorageError) -> MountOutcome {
    try removeTree(path)
    return .done
  }

  /// The path.
  package var description: String { "remove \(path)" }
}
