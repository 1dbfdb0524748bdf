// SPDX-License-Identifier: Apache-2.0

package import StowageModel
internal import StowageSystem
package import SystemPackage

/// The roots of a store before a driver is chosen: absolute, equal places collapsed.
package struct StoreRoots: Hashable, Sendable {
  /// The graph root.
  package let graphRoot: FilePath
  /// The run root.
  package let runRoot: FilePath
  /// The split image store; `nil` if there is none or if it is the graph root.
  package let imageStore: FilePath?

  /// Why nothing may be changed in the graph root, or in the image store: then all of it is only read. `nil` if it may.
  package let obstacle: Obstacle?

  /// What keeps this process from changing a directory.
  package struct Obstacle: Hashable, Sendable {
    /// The directory.
    package let path: FilePath
    /// The reason.
    package let reason: Errno
  }

  /// Takes roots that exist. An image store with the device and inode of the graph root is none (store-semantics 25.3).
  package init(graphRoot: FilePath, runRoot: FilePath, imageStore: FilePath?) {
    self.graphRoot = graphRoot
    self.runRoot = runRoot
    self.imageStore = imageStore.flatMap { isSamePlace($0, graphRoot) ? nil : $0 }
    let own = [graphRoot] + (self.imageStore.map { [$0] } ?? [])
    obstacle =
      own.lazy.compactMap { root in
        Syscall.obstacle(toWriting: root).map { Obstacle(path: root, reason: $0) }
      }.first
  }

  /// The roots of the store's own places that may be changed.
  package var writable: [FilePath] { isReadOnly ? [] : [graphRoot] + (imageStore.map { [$0] } ?? []) }

  /// Whether this process can only read the store.
  package var isReadOnly: Bool { obstacle != nil }

  /// What is thrown when something would change a store that can only be read; `nil` if it may be changed.
  package var refusal: StorageError? {
    obstacle.map { obstacle in
      StorageError(
        .readOnlyStore, "the store at \(obstacle.path) can be read, not changed: \(obstacle.reason.referenceText)",
        path: obstacle.path.string, cause: obstacle.reason)
    }
  }

  /// The lock of the driver and of shutting down.
  package var storageLock: FilePath { graphRoot.appending("storage.lock") }
  /// The lock of automatic user namespaces.
  package var userNamespaceLock: FilePath { graphRoot.appending("userns.lock") }
}

/// Whether names can be moved from one directory into the other: they are on one mount. Those that do not exist are going to be
/// made beside each other.
package func canRename(_ source: FilePath, _ target: FilePath) -> Bool {
  guard let first = try? Syscall.stat(source), let second = try? Syscall.stat(target) else { return true }
  if first.device != second.device { return false }
  return Syscall.mount(of: source) == Syscall.mount(of: target)
}

/// Whether two paths lead to one directory: equal device and inode; paths that cannot be examined differ.
package func isSamePlace(_ left: FilePath, _ right: FilePath) -> Bool {
  if left == right { return true }
  guard let first = try? Syscall.stat(left), let second = try? Syscall.stat(right) else { return false }
  return first.isSameFile(as: second)
}
