// SPDX-License-Identifier: Apache-2.0

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

  /// Takes roots that exist. An image store with the device and inode of the graph root is none (store-semantics 25.3).
  package init(graphRoot: FilePath, runRoot: FilePath, imageStore: FilePath?) {
    self.graphRoot = graphRoot
    self.runRoot = runRoot
    self.imageStore = imageStore.flatMap { isSamePlace($0, graphRoot) ? nil : $0 }
  }

  /// The lock of the driver and of shutting down.
  package var storageLock: FilePath { graphRoot.appending("storage.lock") }
  /// The lock of automatic user namespaces.
  package var userNamespaceLock: FilePath { graphRoot.appending("userns.lock") }
}

/// Whether two paths lead to one directory: equal device and inode; paths that cannot be examined differ.
package func isSamePlace(_ left: FilePath, _ right: FilePath) -> Bool {
  if left == right { return true }
  guard let first = try? Syscall.stat(left), let second = try? Syscall.stat(right) else { return false }
  return first.isSameFile(as: second)
}
