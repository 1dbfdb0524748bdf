// SPDX-License-Identifier: Apache-2.0

package import StowageModel
package import StowageSystem
package import SystemPackage

/// Ends the plan with success if there is already a mount of one of these kinds (graph-drivers 8.1).
package struct StopIfMounted: MountStep {
  private let path: FilePath
  private let kinds: [BackingFileSystem]
  private let readOnly: Bool

  /// Describes what is looked for.
  ///
  /// - Parameter readOnly: whether a read-only mount would do.
  package init(_ path: FilePath, kinds: [BackingFileSystem], readOnly: Bool) {
    self.path = path
    self.kinds = kinds
    self.readOnly = readOnly
  }

  /// Looks.
  ///
  /// - Throws: `busy` if it is mounted read-only and shall be writable: the caller would get less than it asked for.
  package func perform() throws(StorageError) -> MountOutcome {
    guard let info = try? Syscall.statfs(path) else { return .done }
    let found = BackingFileSystem(magic: UInt32(truncatingIfNeeded: info.magic))
    guard kinds.contains(found), MountTable.isMountPoint(path) else { return .done }
    if !readOnly, info.flags & StopIfMounted.readOnlyFlag != 0 {
      throw StorageError(.busy, "\(path) is already mounted read-only", path: path.string)
    }
    return .alreadyMounted
  }

  /// `ST_RDONLY` of statvfs(3).
  private static let readOnlyFlag: UInt64 = 1

  /// The path, and whether read-only would do.
  package var description: String { "stop if mounted \(path)\(readOnly ? " (read-only)" : "")" }
}
