// SPDX-License-Identifier: Apache-2.0

package import StowageFiles
package import StowageModel
package import SystemPackage

/// All a driver is told when a store is opened.
package struct DriverContext: Sendable {
  /// The graph root; it exists.
  package var graphRoot: FilePath
  /// The run root; it need not exist.
  package var runRoot: FilePath
  /// The split image store, if one is configured.
  package var imageStore: FilePath?
  /// Additional image stores beside those that `options` name (`imagestore=…`), in order.
  package var additional: [FilePath]
  /// Driver options as given, in order (`overlay.mountopt=nodev`, `imagestore=/a`, …); graph-drivers 1.7.
  package var options: [String]
  /// The names of all drivers, with which options may be prefixed.
  package var driverNames: Set<String>
  /// Whether the process acts inside a user namespace (archive-and-diff 4.8).
  package var inUserNamespace: Bool
  /// Whether nothing may be changed below the graph root and the image store.
  package var isReadOnly: Bool

  /// Collects what a driver needs to know.
  package init(
    graphRoot: FilePath, runRoot: FilePath, imageStore: FilePath? = nil, additional: [FilePath] = [],
    options: [String] = [], driverNames: Set<String> = [], inUserNamespace: Bool = false, isReadOnly: Bool = false
  ) {
    self.graphRoot = graphRoot
    self.runRoot = runRoot
    self.imageStore = imageStore
    self.additional = additional
    self.options = options
    self.driverNames = driverNames
    self.inUserNamespace = inUserNamespace
    self.isReadOnly = isReadOnly
  }
}

extension DriverContext {
  /// The options that are meant for a driver known as one of `names`, in order; see ``DriverOption/parse(_:for:among:)``.
  package func options(for names: Set<String>) throws(StorageError) -> [DriverOption] {
    try DriverOption.parse(options, for: names, among: driverNames)
  }

  /// The roots of the stores that may be written: the graph root, and the image store if there is one; none if all is only read.
  package var writableRoots: [FilePath] { isReadOnly ? [] : [graphRoot] + (imageStore.map { [$0] } ?? []) }
}

/// Fixed properties of a driver, so that nothing outside it asks for its name.
package struct DriverTraits: Hashable, Sendable {
  /// The canonical name (`overlay`, `vfs`), as used in `<name>-layers`.
  package let name: String
  /// Whether a layer's tree begins as a copy of its parent's (vfs), instead of holding the difference only (overlay).
  ///
  /// Such a layer is staged also if it gets no content, so that the copy is made without a lock, and what was staged fits
  /// only the very parent it was copied from, unchanged: whoever commits it has to look.
  package let copiesParent: Bool
  /// Whether presenting a layer takes a mount; false if its directory is the content.
  package let hasKernelMounts: Bool
  /// When content must reach the disk before a layer is recorded complete.
  package let syncPolicy: SyncPolicy
  /// Directories with stale temporary trees to recover when a layer store is loaded with its lock held exclusively: where
  /// the driver stages and removes, in each store that may be written.
  package let temporaryRoots: [FilePath]
  /// Over how many layers one can be mounted; `nil` for any number.
  package let mostLayers: Int?
  /// Whether layers share the blocks of their files by themselves, so that deduplication has nothing to do.
  package let sharesBlocks: Bool

  /// States the properties.
  package init(
    name: String, copiesParent: Bool, hasKernelMounts: Bool, syncPolicy: SyncPolicy, temporaryRoots: [FilePath],
    sharesBlocks: Bool = false, mostLayers: Int? = nil
  ) {
    self.name = name
    self.copiesParent = copiesParent
    self.hasKernelMounts = hasKernelMounts
    self.syncPolicy = syncPolicy
    self.temporaryRoots = temporaryRoots
    self.sharesBlocks = sharesBlocks
    self.mostLayers = mostLayers
  }
}
