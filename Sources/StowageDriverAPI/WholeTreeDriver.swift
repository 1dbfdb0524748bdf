// SPDX-License-Identifier: Apache-2.0

package import StowageDiff
import StowageFiles
package import StowageModel
package import StowageMounts
import StowageSystem
package import SystemPackage

/// A driver whose layer directories each hold all files of the layer, the ancestors' among them (vfs, btrfs).
///
/// A layer is `<root>/<name>/<treesName>/<ID>`, begins as a copy of its parent, and is presented as the directory it is;
/// differences are found by comparing trees (graph-drivers 20). Such a driver states where and how, and makes copies; the
/// rest is here (WholeTreeDriver+….swift), and what does not fit is written by the driver.
package protocol WholeTreeDriver: ApplyErrorWording {
  /// The canonical name, also of the driver's directory in a store.
  static var name: String { get }
  /// The name of the directory with the layers in the driver's directory.
  static var treesName: String { get }
  /// What the store told.
  var context: DriverContext { get }

  /// Makes the tree of a layer-to-be at a path where nothing is: a copy of the parent's tree, with other owners if the
  /// options say so, or an empty directory with mode 555 for the owner of the maps' container ID 0.
  ///
  /// - Throws: `driverLayerUnknown` if the parent has no directory; `system`. What is left is removed by the caller.
  func makeTree(_ tree: FilePath, over parent: LayerLocation?, _ options: LayerCreateOptions) throws(StorageError)

  /// Refuses options for new layers; by default all storage options.
  ///
  /// - Throws: `invalidOption`.
  func check(_ options: LayerCreateOptions) throws(StorageError)

  /// How archives are extracted into a layer with the given maps; by default whiteouts are executed and a root entry
  /// applies.
  func applyOptions(_ maps: IDMaps) -> ApplyOptions
}

// MARK: Where things are

extension WholeTreeDriver {
  /// `<root>/<name>`.
  package func home(of root: FilePath) -> FilePath { root.appending(Self.name) }

  /// `<root>/<name>/<treesName>`.
  package func trees(in root: FilePath) -> FilePath { home(of: root).appending(Self.treesName) }

  /// `<root>/<name>/tempdirs`: where trees are made, and moved to be deleted.
  package func temporaries(in root: FilePath) -> FilePath { home(of: root).appending("tempdirs") }

  /// `<root>/<name>/<treesName>/<ID>`.
  package func directory(of layer: LayerLocation) -> FilePath {
    trees(in: layer.root).appending(layer.id.rawValue)
  }

  /// Whether the layer's directory exists.
  package func exists(_ layer: LayerLocation) throws(StorageError) -> Bool {
    try HostFiles.isDirectory(directory(of: layer))
  }

  /// The directories with the layers, without `lost+found`.
  package func listLayers(in root: FilePath) throws(StorageError) -> [String] {
    (try HostFiles.entries(trees(in: root)) ?? [])
      .filter { $0.kind == .directory && !HostFiles.isLostAndFound($0.name) }
      .map(\.name)
  }

  /// The layer's directory has all of its content.
  package func contentRoots(of layer: LayerLocation, over parents: [LayerLocation]) -> [FilePath] {
    [directory(of: layer)]
  }
}

// MARK: Presenting

extension WholeTreeDriver {
  /// The layer's directory, without steps.
  package func mountPlan(
    for layer: LayerLocation, over parents: [LayerLocation], _ options: MountOptions
  ) throws(StorageError) -> MountPlan {
    try plainPlan(for: layer, options)
  }

  /// Nothing to do.
  package func unmountPlan(for layer: LayerLocation) -> MountPlan {
    MountPlan(steps: [], mountPoint: directory(of: layer))
  }

  /// The layer's directory, without steps, for drivers that add some.
  ///
  /// - Throws: `invalidOption`: `<driver> driver does not support mount options`, for all but `ro`, which callers give who
  ///   only read; `layerUnknown`.
  package func plainPlan(for layer: LayerLocation, _ options: MountOptions) throws(StorageError) -> MountPlan {
    if options.options.contains(where: { $0 != "ro" }) {
      throw StorageError(.invalidOption, "\(Self.name) driver does not support mount options")
    }
    if !options.isForNewLayer { try requireDirectory(of: layer) }
    return MountPlan(steps: [], mountPoint: directory(of: layer))
  }
}

// MARK: What a layer must be

extension WholeTreeDriver {
  /// Makes sure a layer is not in a store that is never written.
  ///
  /// - Throws: `readOnlyStore`.
  package func requireWritable(_ layer: LayerLocation) throws(StorageError) {
    guard layer.isWritable else {
      throw StorageError(.readOnlyStore, subject: layer.id.rawValue, path: layer.root.string)
    }
  }

  /// Makes sure a layer is there.
  ///
  /// - Throws: `layerUnknown`, or `corrupt` if there is something else in its place.
  package func requireDirectory(of layer: LayerLocation) throws(StorageError) {
    let path = directory(of: layer)
    if !layer.isWritable { try HostFiles.requireBeneath(layer.root, path) }
    guard let status = try HostFiles.status(path) else {
      throw StorageError(
        .layerUnknown, "stat \(path): no such file or directory", subject: layer.id.rawValue, path: path.string)
    }
    guard status.kind == .directory else {
      throw StorageError(.corrupt, "\(path): not a directory", subject: layer.id.rawValue, path: path.string)
    }
  }

  /// The directory of the layer that a new one begins as a copy of.
  ///
  /// - Throws: `driverLayerUnknown`, with the reference's text (cli 16.4).
  package func parentTree(_ parent: LayerLocation) throws(StorageError) -> FilePath {
    let path = directory(of: parent)
    if !parent.isWritable { try HostFiles.requireBeneath(parent.root, path) }
    guard let status = try HostFiles.status(path), status.kind == .directory else {
      throw StorageError(
        .driverLayerUnknown, "Stat \(path): no such file or directory", subject: parent.id.rawValue, path: path.string)
    }
    return path
  }
}
