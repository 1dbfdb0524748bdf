// SPDX-License-Identifier: Apache-2.0

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
  /// Whether the process acts inside a user namespace (archive-and-diff 4.8).
  package var inUserNamespace: Bool

  /// Collects what a driver needs to know.
  package init(
    graphRoot: FilePath, runRoot: FilePath, imageStore: FilePath? = nil, additional: [FilePath] = [],
    options: [String] = [], inUserNamespace: Bool = false
  ) {
    self.graphRoot = graphRoot
    self.runRoot = runRoot
    self.imageStore = imageStore
    self.additional = additional
    self.options = options
    self.inUserNamespace = inUserNamespace
  }
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
  /// Whether layers of additional image stores can be used.
  package let supportsAdditionalStores: Bool

  /// Whether layers share the blocks of their files by themselves, so that deduplication has nothing to do.
  package let sharesBlocks: Bool

  /// States the properties.
  package init(
    name: String, copiesParent: Bool, hasKernelMounts: Bool, supportsAdditionalStores: Bool, sharesBlocks: Bool = false
  ) {
    self.name = name
    self.copiesParent = copiesParent
    self.hasKernelMounts = hasKernelMounts
    self.supportsAdditionalStores = supportsAdditionalStores
    self.sharesBlocks = sharesBlocks
  }
}
