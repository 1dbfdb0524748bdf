// SPDX-License-Identifier: Apache-2.0

package import StowageDiff
package import StowageDriverAPI
package import StowageFiles
package import StowageModel
package import StowageMounts
import StowageSystem
package import SystemPackage

/// The btrfs driver: every layer is a subvolume, made as a snapshot of its parent's (graph-drivers 18).
package struct BtrfsDriver: WholeTreeDriver {
  /// The parsed options.
  let settings: BtrfsSettings
  /// What the store told.
  let context: DriverContext

  /// Snapshots are copies that cost nothing; they count only while the parent is unchanged, as copies do.
  package var traits: DriverTraits {
    DriverTraits(
      name: "btrfs", copiesParent: true, hasKernelMounts: false, supportsAdditionalStores: false, sharesBlocks: true)
  }

  /// Content reaches the disk before a layer counts. The reference has no option for btrfs.
  package var syncPolicy: SyncPolicy { .fileSystem }

  /// None: snapshots do not cross file systems, and a parent must be a subvolume.
  package var additionalImageStores: [FilePath] { [] }

  /// Sets up the driver: looks at the file system, then at the options, and makes `<graph root>/btrfs/subvolumes`.
  package static func make(_ context: DriverContext) throws(StorageError) -> BtrfsDriver {
    let home = context.graphRoot.appending("btrfs")
    let info = try attempt("statfs", context.graphRoot) { () throws(Errno) in try Syscall.statfs(context.graphRoot) }
    guard info.isBtrfs else {
      throw StorageError(
        .prerequisites,
        "\(goQuoted(home.string)) is not on a btrfs filesystem: \(StorageError.Code.prerequisites.text)",
        path: home.string)
    }
    let driver = BtrfsDriver(settings: try BtrfsSettings(options: context.options), context: context)
    try driver.refuseOtherStores()
    try HostFiles.ensureDirectory(home.appending("subvolumes"), mode: 0o700, owner: .current)
    try MountExecutor.makePrivateMount(home)
    if driver.settings.wantsQuota { try Subvolume.enableQuota(home) }
    return driver
  }

  /// The reference puts the trees of an image store's layers into the graph root, where no other graph root that uses the
  /// image store finds them.
  private func refuseOtherStores() throws(StorageError) {
    if let store = context.imageStore {
      throw StorageError(
        .notSupported, "btrfs driver does not support split image stores (\(store))", path: store.string)
    }
    if let store = context.additional.first {
      throw StorageError(
        .notSupported, "btrfs driver does not support additional image stores (\(store))", path: store.string)
    }
  }

  /// `<root>/btrfs`.
  package func home(of root: FilePath) -> FilePath { root.appending("btrfs") }

  /// `<root>/btrfs/subvolumes/<ID>`.
  package func directory(of layer: LayerLocation) -> FilePath {
    home(of: layer.root).appending("subvolumes").appending(layer.id.rawValue)
  }

  /// `<root>/btrfs/quotas/<ID>`: the layer's limit in bytes, decimal, without a newline.
  private func quotaFile(of layer: LayerLocation) -> FilePath {
    home(of: layer.root).appending("quotas").appending(layer.id.rawValue)
  }

  /// `tempdirs`, which the reference does not have with btrfs and does not look at.
  package func temporaryRoots() -> [FilePath] { [home(of: context.graphRoot).appending("tempdirs")] }

  /// Makes a snapshot of the parent in `tempdirs`, or an empty subvolume with mode 555, and limits it.
  package func stage(
    over parents: [LayerLocation], targetRoot: FilePath, _ options: LayerCreateOptions
  ) throws(StorageError) -> StagedLayer {
    let limit = try settings.limit(options)
    let directory = try StagedDirectory.create(in: home(of: targetRoot).appending("tempdirs"))
    let tree = directory.addition()
    if let parent = parents.first {
      try Subvolume.snapshot(tree, of: try parentTree(parent))
    } else {
      try Subvolume.create(tree, mode: 0o555, owner: try Owner(rootOf: options.idMaps))
    }
    if let limit { try Subvolume.limit(tree, bytes: limit) }
    return StagedLayer(
      target: ApplyTarget(root: tree, options: applyOptions(options.idMaps)), targetRoot: targetRoot,
      directory: directory)
  }

  /// Renames the staged subvolume, or one staged now, into place, and notes its limit.
  package func create(
    _ layer: LayerLocation, over parents: [LayerLocation], _ options: LayerCreateOptions,
    staged: consuming StagedLayer?
  ) throws(StorageError) {
    let limit = try settings.limit(options)
    try place(layer, over: parents, options, staged)
    guard let limit else { return try removeQuotaFile(of: layer) }
    do throws(StorageError) {
      let file = quotaFile(of: layer)
      try HostFiles.ensureDirectory(file.removingLastComponent(), mode: 0o700, owner: .current)
      try AtomicFile.replace(file, text: String(limit), mode: 0o644)
    } catch {
      do throws(StorageError) { try removeTree(directory(of: layer)) } catch {
        Log.warning("btrfs: cannot remove a layer that could not be made: \(error)")
      }
      throw error
    }
  }

  private func removeQuotaFile(of layer: LayerLocation) throws(StorageError) {
    let file = quotaFile(of: layer)
    do throws(Errno) { try Syscall.unlink(file) } catch {
      if error != .noSuchFileOrDirectory { throw .failed("unlink", file, error) }
    }
  }

  /// Whiteouts are executed and a root entry applies.
  package func applyOptions(_ maps: IDMaps) -> ApplyOptions {
    ApplyOptions(
      idMaps: maps, whiteouts: .plain, ignoreChownErrors: false, inUserNamespace: context.inUserNamespace,
      rootEntry: .apply)
  }

  /// Moves the subvolume into `tempdirs`. Deleting it there deletes the subvolumes that were made inside, too.
  package func remove(_ layer: LayerLocation, into bins: inout DeferredRemoval) throws(StorageError) {
    try requireWritable(layer)
    try removeQuotaFile(of: layer)
    // Root of a container may mark the container's tree read-only.
    Subvolume.makeWritable(directory(of: layer))
    _ = try bins.add(directory(of: layer), bin: home(of: layer.root).appending("tempdirs"))
  }

  /// The layer's directory. The only step sets the limit again, which is lost if quotas were off meanwhile.
  package func mountPlan(
    for layer: LayerLocation, over parents: [LayerLocation], _ options: MountOptions
  ) throws(StorageError) -> MountPlan {
    try requireNoMountOptions(options)
    if !options.isForNewLayer { try requireDirectory(of: layer) }
    let tree = directory(of: layer)
    let limit = try HostFiles.read(quotaFile(of: layer)).flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
    guard let limit, limit > 0, limit >= settings.minimumSpace else { return MountPlan(steps: [], mountPoint: tree) }
    return MountPlan(steps: [SubvolumeLimit(tree, bytes: limit)], mountPoint: tree)
  }

  /// Nothing to do.
  package func unmountPlan(for layer: LayerLocation) -> MountPlan {
    MountPlan(steps: [], mountPoint: directory(of: layer))
  }

  /// The directories in `subvolumes`.
  package func listLayers(in root: FilePath) throws(StorageError) -> [String] {
    (try HostFiles.entries(home(of: root).appending("subvolumes")) ?? []).filter { $0.kind == .directory }
      .map(\.name)
  }

  /// Ends the private mount of the home.
  package func cleanUp() throws(StorageError) { try MountExecutor.unmount(home(of: context.graphRoot)) }
}
