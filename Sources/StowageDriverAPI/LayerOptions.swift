// SPDX-License-Identifier: Apache-2.0

package import StowageDiff
package import StowageModel
package import SystemPackage

/// How a new layer is to be made (graph-drivers 1.1, create options).
package struct LayerCreateOptions: Sendable {
  /// The SELinux label for mounts, or empty.
  package var mountLabel: String
  /// The layer's ID maps; the host owner of container ID 0 owns the layer's directories.
  package var idMaps: IDMaps
  /// How the owners of the parents' files are to be changed; `nil` if they stay. Valid for staging only.
  package var shift: OwnerShift?
  /// The layer is a copy of the nearest of the parents it is made over (a template), and has nothing else below it.
  package var isCopy: Bool
  /// True for a container's layer, false for image content.
  package var isReadWrite: Bool
  /// Per-layer storage options (`size`, `inodes`).
  package var storageOptions: [String: String]

  /// Collects creation options.
  package init(
    mountLabel: String = "", idMaps: IDMaps = IDMaps(), shift: OwnerShift? = nil, isCopy: Bool = false,
    isReadWrite: Bool = false, storageOptions: [String: String] = [:]
  ) {
    self.mountLabel = mountLabel
    self.idMaps = idMaps
    self.shift = shift
    self.isCopy = isCopy
    self.isReadWrite = isReadWrite
    self.storageOptions = storageOptions
  }
}

/// How a layer is to be mounted (graph-drivers 1.1, mount options).
package struct MountOptions: Sendable {
  /// The SELinux label, or empty.
  package var label: String
  /// The maps to present the content with; empty for content as it is on disk.
  package var idMaps: IDMaps
  /// Mount options, one word each. Empty means: the driver's configured default.
  package var options: [String]
  /// Whether the container tolerates loss of its data in a power failure.
  package var isVolatile: Bool
  /// Whether presenting shifted owners is forbidden.
  package var disableShifting: Bool
  /// Those among the layer and its ancestors whose files have the owners of ``idMaps`` on disk, as their own records say; only
  /// the others are shifted (changes-1.65 1).
  package var mappedLayers: Set<LayerID> = []
  /// Whether the layer is still to be made, over the given parents and without a copy: the plan is for what it will be.
  package var isForNewLayer = false

  /// Collects mount options.
  package init(
    label: String = "", idMaps: IDMaps = IDMaps(), options: [String] = [], isVolatile: Bool = false,
    disableShifting: Bool = false
  ) {
    self.label = label
    self.idMaps = idMaps
    self.options = options
    self.isVolatile = isVolatile
    self.disableShifting = disableShifting
  }

  /// Whether the mount is to be read-only: true if `options` has the word `ro`.
  package var isReadOnly: Bool { options.contains("ro") }
}

/// Where, and by which rules, a diff is to be extracted.
package struct ApplyTarget: Sendable {
  /// The directory that receives the content.
  package let root: FilePath
  /// The driver's rules; the ID maps are those the target was asked for.
  package let options: ApplyOptions

  /// Pairs a directory with the rules for it.
  package init(root: FilePath, options: ApplyOptions) {
    self.root = root
    self.options = options
  }
}

/// Where the difference between a layer and its parent can be read.
package enum DiffSource: Hashable, Sendable {
  /// The layer's own directory holds exactly the difference, with overlay whiteouts. `lowers` are the content
  /// directories of all ancestors, nearest first.
  case overlay(upper: FilePath, lowers: [FilePath], attributes: OverlayAttributes)
  /// The two trees must be presented read-only (``GraphDriver/mountPlan(for:over:_:)``) and compared.
  case trees
}
