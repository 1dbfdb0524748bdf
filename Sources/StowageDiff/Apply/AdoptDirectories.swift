// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// Gives directories of a layer that its archive has no entry for the owner, mode and attributes that they have in the layers
/// below; one that none of these has stays as it is.
///
/// An overlay shows the attributes of the uppermost layer that has a directory, so that without this a private directory would be
/// open to all once a layer puts a file into it.
///
/// - Parameters:
///   - paths: the directories, relative to `tree`, parents first.
///   - tree: the layer's own directory; nobody else may change it meanwhile.
///   - next: those of the next layer below, nearest first, with owners as the layer's; `nil` if there is none.
///   - attributes: where the marks of overlay are.
///   - ignoresOwnerErrors: whether an owner that cannot be given is passed over.
///   - flushes: whether the directories are forced to the disk.
/// - Throws: `system`.
package func adoptDirectories(
  _ paths: [[UInt8]], in tree: FilePath, from next: () throws(StorageError) -> [FilePath]?,
  attributes: OverlayAttributes, ignoresOwnerErrors: Bool, flushes: Bool
) throws(StorageError) {
  let trees = try LowerTrees(attributes: attributes)
  let root = try LayerRoot(tree)
  // A parent may be closed to us once it has its mode.
  for path in paths.reversed() {
    guard let model = try trees.directory(at: path, next: next) else { continue }
    do throws(Errno) {
      let directory = try root.open(path, [.readOnly, .directory, .noFollow])
      try adopt(model.rawValue, by: directory.rawValue, ignoresOwnerErrors)
      if flushes { try Syscall.fsync(directory.rawValue, .layer) }
    } catch {
      throw .failed("take over the attributes of a lower layer for", path, error)
    }
  }
}

private func adopt(_ model: CInt, by directory: CInt, _ ignoresOwnerErrors: Bool) throws(Errno) {
  let status = try Syscall.fstat(model)
  do throws(Errno) { try Syscall.fchown(directory, uid: status.uid, gid: status.gid) } catch {
    guard ignoresOwnerErrors else { throw error }
  }
  for name in try ExtendedAttributes.names(model) where !isOfOverlay(name) {
    do throws(Errno) {
      try withCString(copying: name) { (attribute) throws(Errno) in
        guard let value = try ExtendedAttributes.value(model, attribute) else { return }
        try value.withUnsafeBufferPointer { (bytes) throws(Errno) in
          try Syscall.fsetxattr(directory, attribute, UnsafeRawBufferPointer(bytes))
        }
      }
    } catch {
      // What this file system or this process cannot set is set nowhere in the layer.
      guard error == .notSupported || error == .notPermitted else { throw error }
    }
  }
  // After the access list, which has a part of it.
  try Syscall.fchmod(directory, mode: status.permissions)
}

/// Whether an attribute belongs to the place of a directory among the layers, or is given by the host's policy.
private func isOfOverlay(_ name: [UInt8]) -> Bool {
  name.starts(with: "trusted.overlay.".utf8) || name.starts(with: "user.overlay.".utf8)
    || name.elementsEqual("security.selinux".utf8)
}
