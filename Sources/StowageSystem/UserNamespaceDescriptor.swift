// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import StowageModel
package import SystemPackage

extension Syscall {
  /// A new user namespace with the given maps, as a descriptor that keeps it alive; for idmapped mounts.
  ///
  /// An empty list is the identity. A child process is started in the namespace and ended again. See `user_namespaces(7)`.
  ///
  /// - Throws: `EPERM` if the maps are not allowed, `EINVAL` if they are malformed.
  package static func userNamespace(_ maps: IDMaps) throws(Errno) -> OwnedDescriptor {
    let child = try checked { stowage_user_namespace_child() }
    defer {
      kill(child, SIGKILL)
      var status: CInt = 0
      while waitpid(child, &status, 0) == -1, errno == EINTR {}
    }
    try writeMap("/proc/\(child)/uid_map", maps.uids)
    try writeMap("/proc/\(child)/gid_map", maps.gids)
    return try open(FilePath("/proc/\(child)/ns/user"), .readOnly)
  }

  private static func writeMap(_ path: String, _ map: [IDMapping]) throws(Errno) {
    let map = map.isEmpty ? [IDMapping(containerID: 0, hostID: 0, size: 4_294_967_295)] : map
    try writeSetting(FilePath(path), map.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined())
  }

  /// A detached copy of the mount at `path`, with owners shifted by the maps of a user namespace. See
  /// `mount_setattr(2)`, Linux 5.12.
  package static func idMappedCopy(of path: FilePath, _ userNamespace: CInt) throws(Errno) -> OwnedDescriptor {
    let descriptor = try path.withCString { (name) throws(Errno) in
      try openTree(AT_FDCWD, name, clone: true).release()
    }
    let tree = OwnedDescriptor(owning: descriptor)
    try mountSetattr(
      tree.rawValue, "", flags: [.emptyPath, .recursive], set: .idMapped, propagation: .private,
      userNamespace: userNamespace)
    return tree
  }
}
