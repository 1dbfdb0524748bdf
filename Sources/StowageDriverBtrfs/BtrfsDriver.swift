// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
package import StowageFiles
package import StowageModel
package import StowageMounts
import StowageSystem
package import SystemPackage

/// The btrfs driver: every layer is a subvolume, made as a snapshot of its parent's (graph-drivers 18).
package struct BtrfsDriver: WholeTreeDriver, HomeClosing {
  package static let name = "btrfs"
  package static let treesName = "subvolumes"

  /// The parsed options.
  let settings: BtrfsSettings
  /// What the store told.
  package let context: DriverContext

  /// Snapshots are copies that cost nothing; they count only while the parent is unchanged, as copies do. There are no
  /// additional image stores: snapshots do not cross file systems, and a parent must be a subvolume. Content reaches the
  /// disk before a layer counts; the reference has no option for that. It has no `tempdirs` with btrfs, either, and does not
  /// look there.
  package var traits: DriverTraits {
    DriverTraits(
      name: BtrfsDriver.name, copiesParent: true, hasKernelMounts: false, syncPolicy: .fileSystem,
      temporaryRoots: [temporaries(in: context.graphRoot)], sharesBlocks: true)
  }

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
    let driver = BtrfsDriver(
      settings: try BtrfsSettings(context.options(for: [BtrfsDriver.name])), context: context)
    try driver.refuseOtherStores()
    try HostFiles.ensureDirectory(driver.trees(in: context.graphRoot), mode: 0o700, owner: .current)
    if !context.isReadOnly { try MountExecutor.makePrivateMount(home) }
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

  /// `<root>/btrfs/quotas/<ID>`: the layer's limit in bytes, decimal, without a newline.
  private func quotaFile(of layer: LayerLocation) -> FilePath {
    home(of: layer.root).appending("quotas").appending(layer.id.rawValue)
  }

  /// Accepts the option `size`.
  package func check(_ options: LayerCreateOptions) throws(StorageError) { _ = try settings.limit(options) }

  /// Makes a snapshot of the parent, or an empty subvolume with mode 555, and limits it.
  package func makeTree(
    _ tree: FilePath, over parent: LayerLocation?, _ options: LayerCreateOptions
  ) throws(StorageError) {
    if let parent {
      try Subvolume.snapshot(tree, of: try parentTree(parent))
    } else {
      try Subvolume.create(tree, mode: 0o555, owner: try Owner(rootOf: options.idMaps))
    }
    if let limit = try settings.limit(options) { try Subvolume.limit(tree, bytes: limit) }
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

  /// Moves the subvolume into `tempdirs`. Deleting it there deletes the subvolumes that were made inside, too.
  package func remove(_ layer: LayerLocation, into bins: inout DeferredRemoval) throws(StorageError) {
    try requireWritable(layer)
    try removeQuotaFile(of: layer)
    // Root of a container may mark the container's tree read-only.
    Subvolume.makeWritable(directory(of: layer))
    _ = try bins.add(directory(of: layer), bin: temporaries(in: layer.root))
  }

  /// The layer's directory. The only step sets the limit again, which is lost if quotas were off meanwhile.
  package func mountPlan(
    for layer: LayerLocation, over parents: [LayerLocation], _ options: MountOptions
  ) throws(StorageError) -> MountPlan {
    let plan = try plainPlan(for: layer, options)
    let limit = try HostFiles.read(quotaFile(of: layer)).flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
    guard let limit, limit > 0, limit >= settings.minimumSpace else { return plan }
    return MountPlan(steps: [SubvolumeLimit(plan.mountPoint, bytes: limit)], mountPoint: plan.mountPoint)
  }

  /// Ends the private mount of the home.
  package func cleanUp() throws(StorageError) { try MountExecutor.endPrivateMount(home(of: context.graphRoot)) }
}
