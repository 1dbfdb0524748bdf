// SPDX-License-Identifier: Apache-2.0

package import StowageModel
import StowageSystem
package import SystemPackage

/// Shows a tree read-only at another place.
package struct ReadOnlyBind: TreeMount {
  private let tree: FilePath
  package var target: FilePath

  /// Names the tree and an existing directory.
  package init(_ tree: FilePath, at target: FilePath) {
    self.tree = tree
    self.target = target
  }

  /// Mounts. A bind mount becomes read-only only by a second call; if that fails, nothing stays mounted.
  ///
  /// - Throws: `mountFailed`: `mounting <tree> read-only at <target>: <reason>`.
  package func perform() throws(StorageError) -> MountOutcome {
    do throws(Errno) {
      try Syscall.mount(source: tree.string, target: target, type: nil, flags: .bind)
      do throws(Errno) {
        try Syscall.mount(source: nil, target: target, type: nil, flags: [.bind, .remount, .readOnly])
      } catch {
        // The error that led here is told.
        try? Syscall.umount(target, flags: .detach)
        throw error
      }
    } catch {
      throw StorageError(
        .mountFailed, "mounting \(tree) read-only at \(target): \(error.referenceText)", path: target.string,
        cause: error)
    }
    return .done
  }

  /// The command that does about the same.
  package var description: String { "mount --bind -o ro \(tree) \(target)" }
}
