// SPDX-License-Identifier: Apache-2.0

package import StowageDiff
package import StowageFiles
package import StowageModel
package import SystemPackage

// Making, filling and removing layers.
extension WholeTreeDriver {
  /// Refuses all storage options: `--storage-opt is not supported for <name>`.
  package func check(_ options: LayerCreateOptions) throws(StorageError) {
    guard options.storageOptions.isEmpty else {
      throw StorageError(.invalidOption, "--storage-opt is not supported for \(Self.name)")
    }
  }

  /// Makes the tree in `tempdirs`.
  package func stage(
    over parents: [LayerLocation], targetRoot: FilePath, _ options: LayerCreateOptions
  ) throws(StorageError) -> StagedLayer {
    try check(options)
    let directory = try StagedDirectory.create(in: temporaries(in: targetRoot))
    let tree = directory.addition()
    try makeTree(tree, over: parents.first, options)
    return StagedLayer(
      target: ApplyTarget(root: tree, options: applyOptions(options.idMaps)), targetRoot: targetRoot,
      directory: directory)
  }

  /// Renames the staged tree, or one staged now, into place.
  package func create(
    _ layer: LayerLocation, over parents: [LayerLocation], _ options: LayerCreateOptions,
    staged: consuming StagedLayer?
  ) throws(StorageError) {
    try place(layer, over: parents, options, staged)
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
    if try HostFiles.exists(path, followingLinks: false) {
      Log.warning("\(Self.name): removing the leftover directory \(path) of a layer that is not recorded")
      try removeTree(path)
    }
    try HostFiles.rename(content.tree, path)
    content.finish()
  }

  /// The directory with the trees of all layers.
  package func sharedDirectories(of layer: LayerLocation) -> [FilePath] {
    syncPolicy == .none ? [] : [trees(in: layer.root)]
  }

  /// Moves the directory into `tempdirs` of its store.
  package func remove(_ layer: LayerLocation, into bins: inout DeferredRemoval) throws(StorageError) {
    try requireWritable(layer)
    _ = try bins.add(directory(of: layer), bin: temporaries(in: layer.root))
  }

  /// The layer's tree; whiteouts are executed and a root entry applies.
  package func applyTarget(
    for layer: LayerLocation, over parents: [LayerLocation], idMaps: IDMaps
  ) throws(StorageError) -> ApplyTarget {
    try requireWritable(layer)
    try requireDirectory(of: layer)
    return ApplyTarget(root: directory(of: layer), options: applyOptions(idMaps))
  }

  /// Whiteouts are executed and a root entry applies.
  package func applyOptions(_ maps: IDMaps) -> ApplyOptions { plainApplyOptions(maps) }

  /// The options of extraction, for drivers that change some.
  package func plainApplyOptions(_ maps: IDMaps) -> ApplyOptions {
    ApplyOptions(
      idMaps: maps, whiteouts: .plain, ignoreChownErrors: false, inUserNamespace: context.inUserNamespace,
      rootEntry: .apply)
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
    return StorageError(
      error.code, text, plain: "unpacking the layer: \(error.plainMessage)", subject: error.subject, path: error.path,
      cause: error)
  }
}
