// SPDX-License-Identifier: Apache-2.0

package import StowageDiff
package import StowageDriverAPI
import StowageFiles
package import StowageModel
package import StowageMounts
import StowageSystem
package import SystemPackage

/// The vfs driver: every layer is a full copy of its parent's tree, and nothing is mounted but layers of additional image
/// stores (graph-drivers 17).
package struct VFSDriver: WholeTreeDriver, AdditionalStoreReading {
  package static let name = "vfs"
  package static let treesName = "dir"

  /// The parsed options.
  let settings: VFSSettings
  /// What the store told.
  package let context: DriverContext
  /// Roots of additional image stores.
  package let additionalImageStores: [FilePath]

  /// vfs copies and does not mount.
  package var traits: DriverTraits {
    DriverTraits(
      name: VFSDriver.name, copiesParent: true, hasKernelMounts: false, syncPolicy: settings.syncPolicy,
      temporaryRoots: context.writableRoots.map { temporaries(in: $0) })
  }

  /// Sets up the driver: parses the options and makes `<graph root>/vfs/dir`.
  package static func make(_ context: DriverContext) throws(StorageError) -> VFSDriver {
    let settings = try VFSSettings(context.options(for: [VFSDriver.name]))
    let driver = VFSDriver(
      settings: settings, context: context, additionalImageStores: settings.additionalStores + context.additional)
    try HostFiles.ensureDirectory(driver.trees(in: context.graphRoot), mode: 0o700, owner: .current)
    return driver
  }

  /// Copies the parent's tree, with other owners if wanted, or makes an empty directory with mode 555.
  package func makeTree(
    _ tree: FilePath, over parent: LayerLocation?, _ options: LayerCreateOptions
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

  /// Whiteouts are executed and a root entry applies.
  package func applyOptions(_ maps: IDMaps) -> ApplyOptions {
    var options = plainApplyOptions(maps)
    options.ignoreChownErrors = settings.ignoresChownErrors
    return options
  }

  /// The layer's directory; shown by a read-only mount if it is in an additional image store.
  package func mountPlan(
    for layer: LayerLocation, over parents: [LayerLocation], _ options: MountOptions
  ) throws(StorageError) -> MountPlan {
    let plan = try plainPlan(for: layer, options)
    if layer.isWritable { return plan }
    // Whoever gets the path of a store that is not ours must not be able to write there.
    let place = privateMountPoint(of: layer)
    return MountPlan(
      steps: [
        Unmount(place), EnsureDirectory(place, mode: 0o700, owner: .current), ReadOnlyBind(plan.mountPoint, at: place),
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
}
