// SPDX-License-Identifier: Apache-2.0

import StowageFiles
import StowageModel
import StowageSystem
import SystemPackage

/// Subvolumes of btrfs by path (graph-drivers 18.3). They are deleted as any tree is, by `removeTree`.
enum Subvolume {
  /// Makes an empty subvolume with exactly the 12 mode bits and the owner.
  static func create(_ path: FilePath, mode: UInt16, owner: Owner) throws(StorageError) {
    try attempt("btrfs subvolume create", path) { () throws(Errno) in
      let parent = try Syscall.open(path.removingLastComponent(), [.readOnly, .directory])
      try name(of: path).withCString { (name) throws(Errno) in
        try Syscall.createSubvolume(parent.rawValue, name)
      }
      let root = try Syscall.open(path, [.readOnly, .directory, .noFollow])
      try Syscall.fchown(root.rawValue, uid: owner.uid, gid: owner.gid)
      try Syscall.fchmod(root.rawValue, mode: UInt32(mode))
    }
  }

  /// Makes a writable snapshot of a subvolume.
  ///
  /// - Throws: `system` with `EINVAL` if `source` is an ordinary directory.
  static func snapshot(_ path: FilePath, of source: FilePath) throws(StorageError) {
    try attempt("btrfs subvolume snapshot", path) { () throws(Errno) in
      let parent = try Syscall.open(path.removingLastComponent(), [.readOnly, .directory])
      let source = try Syscall.open(source, [.readOnly, .directory])
      try name(of: path).withCString { (name) throws(Errno) in
        try Syscall.createSnapshot(parent.rawValue, name, of: source.rawValue)
      }
    }
  }

  /// Switches on the quotas of the whole file system that holds a directory.
  static func enableQuota(_ path: FilePath) throws(StorageError) {
    try attempt("btrfs quota enable", path) { () throws(Errno) in
      let directory = try Syscall.open(path, [.readOnly, .directory])
      try Syscall.enableQuota(directory.rawValue)
    }
  }

  /// Limits what a subvolume may hold, shared blocks counted too; switches quotas on.
  static func limit(_ path: FilePath, bytes: UInt64) throws(StorageError) {
    try attempt("btrfs qgroup limit", path) { () throws(Errno) in
      let root = try Syscall.open(path, [.readOnly, .directory])
      try Syscall.enableQuota(root.rawValue)
      try Syscall.limitSubvolume(root.rawValue, bytes: bytes)
    }
  }

  /// Takes the read-only mark off a subvolume, with which it could not be renamed. Anything else is left as it is.
  static func makeWritable(_ path: FilePath) {
    guard let root = try? Syscall.open(path, [.readOnly, .directory, .noFollow]),
      let status = try? Syscall.fstat(root.rawValue), status.isSubvolumeRoot
    else { return }
    do throws(Errno) { try Syscall.makeSubvolumeWritable(root.rawValue) } catch {
      Log.debug("cannot make the subvolume \(path) writable: \(error.referenceText)")
    }
  }

  private static func name(of path: FilePath) -> FilePath { FilePath(path.lastComponent?.string ?? ".") }
}
