// SPDX-License-Identifier: Apache-2.0

import StowageDiff
package import StowageDriverAPI
import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

/// The smallest driver: every layer is a full copy of its parent's tree, in `<root>/plain/layers/<ID>`.
///
/// docs/writing-a-driver.md walks through it. It passes the conformance suite; no store is made with it.
package struct PlainDriver: WholeTreeDriver {
  package static let name = "plain"
  package static let treesName = "layers"

  /// What the store told.
  package let context: DriverContext

  /// Copies, mounts nothing, and has its content on the disk before a layer counts.
  package var traits: DriverTraits {
    DriverTraits(
      name: PlainDriver.name, copiesParent: true, hasKernelMounts: false, syncPolicy: .fileSystem,
      temporaryRoots: context.writableRoots.map { temporaries(in: $0) })
  }

  /// Refuses all options and additional image stores, and makes `<graph root>/plain/layers`.
  package static func make(_ context: DriverContext) throws(StorageError) -> PlainDriver {
    if let option = try context.options(for: [name]).first { throw option.unknown }
    if let store = context.additional.first {
      throw StorageError(.notSupported, "plain driver does not support additional image stores (\(store))")
    }
    let driver = PlainDriver(context: context)
    try HostFiles.ensureDirectory(driver.trees(in: context.graphRoot), mode: 0o700, owner: .current)
    return driver
  }

  /// Copies the parent's tree, or makes an empty directory.
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
    try copyTree(
      from: source, to: tree, options: CopyOptions(inUserNamespace: context.inUserNamespace, shift: options.shift))
  }
}
