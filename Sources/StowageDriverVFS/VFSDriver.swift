// SPDX-License-Identifier: Apache-2.0

package import StowageDiff
package import StowageDriverAPI
package import StowageFiles
package import StowageModel
package import StowageMounts
import StowageSystem
package import SystemPackage

/// The vfs driver: every layer is a full copy of its parent's tree, and nothing is mounted but layers of additional image
/// stores (graph-drivers 17).
package struct VFSDriver: WholeTreeDriver {
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
    try HostFiles.ensureDirectory(driver.home(of: context.graphRoot).appending("dir"), mode: 0o700, owner: .current)
    return driver
  }

  /// `<root>/vfs`.
  package func home(of root: FilePath) -> FilePath { root.appending("vfs") }

  /// `<root>/vfs/dir/<ID>`.
  package func directory(of layer: LayerLocation) -> FilePath {
    home(of: layer.root).appending("dir").appending(layer.id.rawValue)
  }

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
      return try HostFiles.makeDirectory(tree, mode: 0o555, owner: try Owner(rootOf: options.idMaps))
    }
    let source = try parentTree(parent)
    let status = try attempt("stat", source) { () throws(Errno) in try Syscall.stat(source) }
    let owner = Owner(uid: status.uid, gid: status.gid)
    try HostFiles.makeDirectory(tree, mode: UInt16(status.permissions), owner: owner)
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
  package func create(
    _ layer: LayerLocation, over parents: [LayerLocation], _ options: LayerCreateOptions,
    staged: consuming StagedLayer?
  ) throws(StorageError) {
    try place(layer, over: parents, options, staged)
  }

  /// Whiteouts are executed and a root entry applies.
  package func applyOptions(_ maps: IDMaps) -> ApplyOptions {
    ApplyOptions(
      idMaps: maps, whiteouts: .plain, ignoreChownErrors: settings.ignoresChownErrors,
      inUserNamespace: context.inUserNamespace, rootEntry: .apply)
  }

  /// Moves the directory into `tempdirs` of its store.
  package func remove(_ layer: LayerLocation, into bins: inout DeferredRemoval) throws(StorageError) {
    try requireWritable(layer)
    _ = try bins.add(directory(of: layer), bin: home(of: layer.root).appending("tempdirs"))
  }

  /// The layer's directory, without steps.
  package func mountPlan(
    for layer: LayerLocation, over parents: [LayerLocation], _ options: MountOptions
  ) throws(StorageError) -> MountPlan {
    try requireNoMountOptions(options)
    if !options.isForNewLayer { try requireDirectory(of: layer) }
    let tree = directory(of: layer)
    if layer.isWritable { return MountPlan(steps: [], mountPoint: tree) }
    // Whoever gets the path of a store that is not ours must not be able to write there.
    let place = privateMountPoint(of: layer)
    return MountPlan(
      steps: [
        Unmount(place), EnsureDirectory(place, mode: 0o700, owner: .current), ReadOnlyBind(tree, at: place),
      ], mountPoint: place)
  }

  /// Nothing to do, but for layers of additional image stores.
  package func unmountPlan(for layer: LayerLocation) -> MountPlan {
    if layer.isWritable { return MountPlan(steps: [], mountPoint: directory(of: layer)) }
    let place = privateMountPoint(of: layer)
    return MountPlan(steps: [Unmount(place), RemoveTree(place.removingLastComponent())], mountPoint: place)
  }

  /// `merged` in a directory of the run root, as overlay has it.
  private func privateMountPoint(of layer: LayerLocation) -> FilePath {
    context.runRoot.appending("vfs").appending(layer.id.rawValue).appending("merged")
  }

  /// The directories in `dir`.
  package func listLayers(in root: FilePath) throws(StorageError) -> [String] {
    (try HostFiles.entries(home(of: root).appending("dir")) ?? []).filter { $0.kind == .directory }.map(\.name)
  }

  /// Nothing to do.
  package func cleanUp() throws(StorageError) {}
}
