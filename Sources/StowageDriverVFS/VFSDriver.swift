// SPDX-License-Identifier: Apache-2.0

import StowageDiff
package import StowageDriverAPI
package import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

/// The vfs driver: every layer is a full copy of its parent's tree, and nothing is mounted but layers of additional image
/// stores (graph-drivers 17).
package struct VFSDriver: GraphDriver {
  /// The parsed options.
  let settings: VFSSettings
  /// What the store told.
  let context: DriverContext
  /// Roots of additional image stores.
  package let additionalImageStores: [FilePath]

  /// vfs copies and does not mount.
  package var traits: DriverTraits {
    DriverTraits(name: "vfs", copiesParent: true, hasKernelMounts: false, supportsAdditionalStores: true)
  }

  /// As the option `sync` says.
  package var syncPolicy: SyncPolicy { settings.syncPolicy }

  /// Sets up the driver: parses the options and makes `<graph root>/vfs/dir`.
  package static func make(_ context: DriverContext) throws(StorageError) -> VFSDriver {
    let settings = try VFSSettings(options: context.options)
    let driver = VFSDriver(
      settings: settings, context: context, additionalImageStores: settings.additionalStores + context.additional)
    try DriverFiles.ensureDirectory(driver.home(of: context.graphRoot).appending("dir"), mode: 0o700, owner: .current)
    return driver
  }

  /// `<root>/vfs`.
  package func home(of root: FilePath) -> FilePath { root.appending("vfs") }

  /// `<root>/vfs/dir/<ID>`.
  package func directory(of layer: LayerLocation) -> FilePath {
    home(of: layer.root).appending("dir").appending(layer.id.rawValue)
  }

  /// Whether the layer's directory exists.
  package func exists(_ layer: LayerLocation) -> Bool { DriverFiles.isDirectory(directory(of: layer)) }

  /// `tempdirs` of the graph root and of the image store.
  package func temporaryRoots() -> [FilePath] {
    ([context.graphRoot] + [context.imageStore].compactMap { $0 }).map { home(of: $0).appending("tempdirs") }
  }

  /// Copies the parent's tree into `tempdirs`, with other owners if wanted, or makes an empty directory with mode 555.
  package func stage(
    over parents: [LayerLocation], targetRoot: FilePath, _ options: LayerCreateOptions
  ) throws(StorageError) -> StagedLayer {
    guard options.storageOptions.isEmpty else {
      throw StorageError(.invalidOption, "--storage-opt is not supported for vfs")
    }
    let directory = try StagedDirectory.create(in: home(of: targetRoot).appending("tempdirs"))
    let tree = directory.addition()
    try fill(tree, from: parents.first, options)
    return StagedLayer(
      target: ApplyTarget(root: tree, options: applyOptions(options.idMaps)), targetRoot: targetRoot,
      directory: directory)
  }

  private func fill(
    _ tree: FilePath, from parent: LayerLocation?, _ options: LayerCreateOptions
  ) throws(StorageError) {
    guard let parent else {
      return try DriverFiles.makeDirectory(tree, mode: 0o555, owner: try Owner(rootOf: options.idMaps))
    }
    let source = directory(of: parent)
    guard let status = try DriverFiles.status(source), status.kind == .directory else {
      let id = parent.id.rawValue
      throw StorageError(
        .driverLayerUnknown,
        "parent layer \(goQuoted(id)): unknown layer: stat \(source): no such file or directory", subject: id,
        path: source.string)
    }
    let owner = Owner(uid: status.uid, gid: status.gid)
    try DriverFiles.makeDirectory(tree, mode: UInt16(status.permissions), owner: owner)
    do throws(StorageError) {
      try copyTree(
        from: source, to: tree,
        options: CopyOptions(
          inUserNamespace: context.inUserNamespace, shift: options.shift, syncsFiles: syncPolicy == .eachFile))
    } catch {
      throw error.code == .invalidMappings ? error.duringOwnerChange : error
    }
  }

  /// Renames the staged tree, or one staged now, into place.
  ///
  /// An existing directory is a leftover and is removed first (graph-drivers 26.34).
  package func create(
    _ layer: LayerLocation, over parents: [LayerLocation], _ options: LayerCreateOptions,
    staged: consuming StagedLayer?
  ) throws(StorageError) {
    guard layer.isWritable else {
      throw StorageError(.readOnlyStore, subject: layer.id.rawValue, path: layer.root.string)
    }
    let content: StagedLayer
    if let staged {
      content = staged
    } else {
      content = try stage(over: parents, targetRoot: layer.root, options)
    }
    let path = directory(of: layer)
    try DriverFiles.ensureDirectory(path.removingLastComponent(), mode: 0o700, owner: .current)
    if DriverFiles.exists(path, followingLinks: false) {
      Log.warning("vfs: removing the leftover directory \(path) of a layer that is not recorded")
      try removeTree(path)
    }
    try DriverFiles.rename(content.tree, path)
    content.finish()
  }

  /// The layer's tree; whiteouts are executed and a root entry applies.
  package func applyTarget(
    for layer: LayerLocation, over parents: [LayerLocation], idMaps: IDMaps
  ) throws(StorageError) -> ApplyTarget {
    guard layer.isWritable else {
      throw StorageError(.readOnlyStore, subject: layer.id.rawValue, path: layer.root.string)
    }
    try requireDirectory(of: layer)
    return ApplyTarget(root: directory(of: layer), options: applyOptions(idMaps))
  }

  private func applyOptions(_ maps: IDMaps) -> ApplyOptions {
    ApplyOptions(
      idMaps: maps, whiteouts: .plain, ignoreChownErrors: settings.ignoresChownErrors,
      inUserNamespace: context.inUserNamespace, rootEntry: .apply)
  }

  /// `ApplyLayer stdout:  stderr: … exit status 1`. Errors that do not come from the archive stay as they are.
  package func wrapApplyError(_ error: StorageError) -> StorageError {
    guard let failure = error.cause as? ApplyFailure else { return error }
    let text =
      failure.origin == .stream
      ? "ApplyLayer stdout:  stderr:  \(error.message)"
      : "ApplyLayer stdout:  stderr: \(error.message) exit status 1"
    return StorageError(error.code, text, subject: error.subject, path: error.path, cause: error)
  }

  /// Moves the directory into `tempdirs` of its store.
  package func remove(_ layer: LayerLocation, into bins: inout DeferredRemoval) throws(StorageError) {
    guard layer.isWritable else {
      throw StorageError(.readOnlyStore, subject: layer.id.rawValue, path: layer.root.string)
    }
    _ = try bins.add(directory(of: layer), bin: home(of: layer.root).appending("tempdirs"))
  }

  /// The layer's directory, without steps.
  package func mountPlan(
    for layer: LayerLocation, over parents: [LayerLocation], _ options: MountOptions
  ) throws(StorageError) -> MountPlan {
    if options.options.contains(where: { $0 != "ro" }) {
      throw StorageError(.invalidOption, "vfs driver does not support mount options")
    }
    try requireDirectory(of: layer)
    let tree = directory(of: layer)
    if layer.isWritable { return MountPlan(steps: [], mountPoint: tree) }
    // Whoever gets the path of a store that is not ours must not be able to write there.
    let place = privateMountPoint(of: layer)
    return MountPlan(
      steps: [
        .unmount(place), .ensureDirectory(place, mode: 0o700, owner: .current), .bindReadOnly(tree, at: place),
      ], mountPoint: place)
  }

  /// Nothing to do, but for layers of additional image stores.
  package func unmountPlan(for layer: LayerLocation) -> MountPlan {
    if layer.isWritable { return MountPlan(steps: [], mountPoint: directory(of: layer)) }
    let place = privateMountPoint(of: layer)
    return MountPlan(steps: [.unmount(place), .removeTree(place.removingLastComponent())], mountPoint: place)
  }

  /// `merged` in a directory of the run root, as overlay has it.
  private func privateMountPoint(of layer: LayerLocation) -> FilePath {
    context.runRoot.appending("vfs").appending(layer.id.rawValue).appending("merged")
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

  /// The directories in `dir`.
  package func listLayers(in root: FilePath) throws(StorageError) -> [String] {
    (try DriverFiles.entries(home(of: root).appending("dir")) ?? []).filter { $0.kind == .directory }.map(\.name)
  }

  /// The usage of the whole tree, the parent's content included.
  package func diskUsage(of layer: LayerLocation) throws(StorageError) -> (size: Int64, inodes: Int) {
    let usage = try StowageDiff.diskUsage(of: directory(of: layer))
    return (usage.size, usage.inodes)
  }

  /// vfs has no status.
  package func status() -> [(String, String)] { [] }

  /// vfs has no metadata.
  package func metadata(
    of layer: LayerLocation, over parents: [LayerLocation]
  ) throws(StorageError) -> [(String, String)] { [] }

  /// Never.
  package func supportsShifting(_ maps: IDMaps) -> Bool { false }

  /// Nothing to do.
  package func cleanUp() throws(StorageError) {}

  private func requireDirectory(of layer: LayerLocation) throws(StorageError) {
    let path = directory(of: layer)
    guard let status = try DriverFiles.status(path) else {
      throw StorageError(
        .layerUnknown, "stat \(path): no such file or directory", subject: layer.id.rawValue, path: path.string)
    }
    guard status.kind == .directory else {
      throw StorageError(.corrupt, "\(path): not a directory", subject: layer.id.rawValue, path: path.string)
    }
  }
}
