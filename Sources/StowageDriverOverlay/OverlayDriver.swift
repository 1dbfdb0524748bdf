// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
import StowageFiles
package import StowageModel
import StowageMounts
import StowageSystem
package import SystemPackage

/// The overlay driver: one directory a layer, presented by the kernel's overlay or by a mount program.
///
/// An immutable value; its parts are in extensions by task. On-disk layout: README.md of this target.
package struct OverlayDriver: AdditionalStoreReading, ApplyErrorWording, DifferenceReading, ForeignFormTelling,
  HomeClosing, LayerRetiring, LinkKeeping, OwnerShifting, ParentAdopting, SelfDescribing, SpaceYielding, StrayFinding
{
  /// The parsed options; the mount program may have been found instead of configured.
  let settings: OverlaySettings
  /// What the store told.
  let context: DriverContext
  /// The driver's directory in the graph root (`overlay`, or `overlay2` where that exists and was asked for).
  let graphHome: FilePath
  /// Mount points and cached probes.
  let runHome: FilePath
  /// The file system below the graph root.
  let backing: BackingFileSystem
  /// Kernel features, probed once.
  let features: OverlayFeatures
  /// What layers this process has looked at.
  let plainLayers = PlainLayers()
  /// Roots of additional image stores.
  package let additionalImageStores: [FilePath]

  /// Overlay layers hold differences and need mounts.
  package var traits: DriverTraits {
    DriverTraits(
      name: "overlay", copiesParent: false, hasKernelMounts: true, syncPolicy: settings.syncPolicy,
      temporaryRoots: context.writableRoots.map { home(of: $0).appending("tempdirs") },
      mostLayers: OverlayMounter.maximumDepth)
  }

  /// `<root>/overlay`; the graph root's may be `overlay2`.
  package func home(of root: FilePath) -> FilePath {
    root == context.graphRoot ? graphHome : root.appending("overlay")
  }

  /// `<home>/<ID>`.
  package func directory(of layer: LayerLocation) -> FilePath { files(of: layer).path }

  /// Whether `<home>/<ID>` exists.
  package func exists(_ layer: LayerLocation) throws(StorageError) -> Bool {
    try HostFiles.exists(directory(of: layer))
  }

  /// The paths of a layer.
  func files(of layer: LayerLocation) -> OverlayLayer {
    OverlayLayer(home: home(of: layer.root), id: layer.id.rawValue)
  }

  /// The error for a store that must not be written.
  static func readOnly(_ layer: LayerLocation) -> StorageError {
    StorageError(.readOnlyStore, subject: layer.id.rawValue, path: layer.root.string)
  }
}
