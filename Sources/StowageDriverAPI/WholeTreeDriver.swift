// SPDX-License-Identifier: Apache-2.0

package import StowageDiff
import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

/// A driver whose layer directories each hold all files of the layer, the ancestors' among them (vfs, btrfs).
///
/// Differences are found by comparing trees (graph-drivers 20), and a layer is presented as the directory it is.
package protocol WholeTreeDriver: GraphDriver {
  /// How archives are extracted into a layer with the given maps.
  func applyOptions(_ maps: IDMaps) -> ApplyOptions
}

extension WholeTreeDriver {
  /// Whether the layer's directory exists.
  package func exists(_ layer: LayerLocation) -> Bool { HostFiles.isDirectory(directory(of: layer)) }

  /// The layer's tree; whiteouts are executed and a root entry applies.
  package func applyTarget(
    for layer: LayerLocation, over parents: [LayerLocation], idMaps: IDMaps
  ) throws(StorageError) -> ApplyTarget {
    try requireWritable(layer)
    try requireDirectory(of: layer)
    return ApplyTarget(root: directory(of: layer), options: applyOptions(idMaps))
  }

  /// `ApplyLayer stdout:  stderr: … exit status 1`, also logged (archive-and-diff 11.1). Errors that do not come from
  /// the archive stay as they are.
  package func wrapApplyError(_ error: StorageError) -> StorageError {
    guard let failure = error.cause as? ApplyFailure else { return error }
    let text =
      failure.origin == .stream
      ? "ApplyLayer stdout:  stderr:  \(error.message)"
      : "ApplyLayer stdout:  stderr: \(error.message) exit status 1"
    Log.error("While applying layer: \(text)")
    return StorageError(error.code, text, subject: error.subject, path: error.path, cause: error)
  }

  /// The layer's directory has all of its content.
  package func contentRoots(of layer: LayerLocation, over parents: [LayerLocation]) -> [FilePath] {
    [directory(of: layer)]
  }

  /// Trees are always compared.
  package func diffSource(of layer: LayerLocation, over parents: [LayerLocation], from: LayerID?) -> DiffSource {
    .trees
  }

  /// Trees are always compared.
  package func diffSize(
    of layer: LayerLocation, over parents: [LayerLocation], from: LayerID?
  ) throws(StorageError) -> Int64? { nil }

  /// The usage of the whole tree, the parent's content included.
  package func diskUsage(of layer: LayerLocation) throws(StorageError) -> (size: Int64, inodes: Int) {
    let usage = try StowageDiff.diskUsage(of: directory(of: layer))
    return (usage.size, usage.inodes)
  }

  /// Nothing; what the reference tells of btrfs are versions of a library.
  package func status() -> [(String, String)] { [] }

  /// Nothing.
  package func metadata(
    of layer: LayerLocation, over parents: [LayerLocation]
  ) throws(StorageError) -> [(String, String)] { [] }

  /// Never.
  package func supportsShifting(_ maps: IDMaps) -> Bool { false }

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
    guard let status = try HostFiles.status(path), status.kind == .directory else {
      throw StorageError(
        .driverLayerUnknown, "Stat \(path): no such file or directory", subject: parent.id.rawValue, path: path.string)
    }
    return path
  }

  /// Refuses all mount options but `ro`, which callers give who only read.
  ///
  /// - Throws: `invalidOption`: `<driver> driver does not support mount options`.
  package func requireNoMountOptions(_ options: MountOptions) throws(StorageError) {
    if options.options.contains(where: { $0 != "ro" }) {
      throw StorageError(.invalidOption, "\(traits.name) driver does not support mount options")
    }
  }

  /// The staged tree, or one staged now, moved to where the layer belongs. An existing directory is a leftover and is
  /// removed first (graph-drivers 26.34).
  package func place(
    _ layer: LayerLocation, over parents: [LayerLocation], _ options: LayerCreateOptions,
    _ staged: consuming StagedLayer?
  ) throws(StorageError) {
    try requireWritable(layer)
    let content: StagedLayer
    if let staged {
      content = staged
    } else {
      content = try stage(over: parents, targetRoot: layer.root, options)
    }
    let path = directory(of: layer)
    try HostFiles.ensureDirectory(path.removingLastComponent(), mode: 0o700, owner: .current)
    if HostFiles.exists(path, followingLinks: false) {
      Log.warning("\(traits.name): removing the leftover directory \(path) of a layer that is not recorded")
      try removeTree(path)
    }
    try HostFiles.rename(content.tree, path)
    content.finish()
  }
}
