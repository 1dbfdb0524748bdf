// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import SystemPackage

extension FileSystemInfo {
  /// Whether this is btrfs.
  package var isBtrfs: Bool { magic == STOWAGE_BTRFS_MAGIC }
}

extension FileStatus {
  /// Whether a directory *on btrfs* is the root of a subvolume.
  package var isSubvolumeRoot: Bool { isDirectory && inode == STOWAGE_BTRFS_ROOT_INODE }
}

/// Subvolumes of btrfs: trees that are made as snapshots, and deleted, in one step. See `btrfs(5)`, `btrfs-subvolume(8)`
/// and `linux/btrfs.h`.
extension Syscall {
  /// Creates an empty subvolume; its mode is subject to the umask.
  package static func createSubvolume(_ directory: CInt, _ name: UnsafePointer<CChar>) throws(Errno) {
    try SystemHook.step("btrfs_subvol_create", name.text)
    try checked { stowage_btrfs_subvol_create(directory, name) }
    SystemTrace.done("mkdir", directory, name)
  }

  /// Creates a writable snapshot of the subvolume whose root directory is open as `source`.
  ///
  /// - Throws: `EINVAL` if `source` is not the root of a subvolume, `EXDEV` for another file system.
  package static func createSnapshot(
    _ directory: CInt, _ name: UnsafePointer<CChar>, of source: CInt
  ) throws(Errno) {
    try SystemHook.step("btrfs_snap_create", name.text)
    try checked { stowage_btrfs_snap_create(directory, name, source) }
    SystemTrace.done("mkdir", directory, name)
  }

  /// Deletes a subvolume with all its files; their space is freed later.
  ///
  /// - Throws: `ENOTEMPTY` if it contains another subvolume, `EINVAL` if it is none, `EPERM` without the right to.
  package static func destroySubvolume(_ directory: CInt, _ name: UnsafePointer<CChar>) throws(Errno) {
    try SystemHook.step("btrfs_snap_destroy", name.text, .layer)
    try checked { stowage_btrfs_snap_destroy(directory, name) }
    SystemTrace.done("unlink", directory, name)
  }

  /// Deletes a subvolume of the file system of `descriptor` by its number. Needs `CAP_SYS_ADMIN`, Linux 5.7.
  package static func destroySubvolume(_ descriptor: CInt, id: UInt64) throws(Errno) {
    try SystemHook.step("btrfs_snap_destroy", "\(id)", .layer)
    try checked { stowage_btrfs_snap_destroy_by_id(descriptor, id) }
  }

  /// The numbers of the subvolumes directly inside of another one, ascending. Needs `CAP_SYS_ADMIN`.
  package static func childSubvolumes(_ descriptor: CInt, of parent: UInt64) throws(Errno) -> [UInt64] {
    var children: [UInt64] = []
    var next: UInt64 = 0
    while try checked({ stowage_btrfs_child_subvolume(descriptor, parent, &next) }) == 1 {
      children.append(next)
      next += 1
    }
    return children
  }

  /// The number of the subvolume that holds an open file.
  package static func subvolumeID(_ descriptor: CInt) throws(Errno) -> UInt64 {
    var id: UInt64 = 0
    try checked { stowage_btrfs_subvol_id(descriptor, &id) }
    return id
  }

  /// Takes the read-only mark off a subvolume, whose root directory is open; nothing happens if it has none.
  package static func makeSubvolumeWritable(_ descriptor: CInt) throws(Errno) {
    var flags: UInt64 = 0
    try checked { stowage_btrfs_get_subvol_flags(descriptor, &flags) }
    guard flags & STOWAGE_BTRFS_SUBVOL_RDONLY != 0 else { return }
    try SystemHook.step("btrfs_subvol_setflags", "\(descriptor)", .layer)
    try checked { stowage_btrfs_set_subvol_flags(descriptor, flags & ~STOWAGE_BTRFS_SUBVOL_RDONLY) }
  }

  /// Switches quotas on for the whole file system; nothing happens if they are on.
  package static func enableQuota(_ descriptor: CInt) throws(Errno) {
    try SystemHook.step("btrfs_quota_ctl", "\(descriptor)")
    try checked { stowage_btrfs_quota_enable(descriptor) }
  }

  /// Limits the bytes that the subvolume holding an open file may refer to. Quotas must be on.
  package static func limitSubvolume(_ descriptor: CInt, bytes: UInt64) throws(Errno) {
    try SystemHook.step("btrfs_qgroup_limit", "\(descriptor)")
    try checked { stowage_btrfs_qgroup_limit(descriptor, bytes) }
  }

  /// Removes what quotas keep about a deleted subvolume.
  ///
  /// - Throws: `EBUSY` if the kernel still needs it, and then removes it itself; `ENOTCONN` or `EINVAL` without quotas.
  package static func removeQuotaGroup(_ descriptor: CInt, of subvolume: UInt64) throws(Errno) {
    try SystemHook.step("btrfs_qgroup_remove", "\(subvolume)", .layer)
    try checked { stowage_btrfs_qgroup_remove(descriptor, subvolume) }
  }
}
