// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

/// Performs mount plans.
package enum MountExecutor {
  /// What became of a plan.
  package enum Outcome: Hashable, Sendable {
    /// All steps were done.
    case done
    /// The tree was already mounted; nothing was changed.
    case alreadyMounted
  }

  /// Does the steps of a plan in order.
  ///
  /// If a mount step fails, nothing is left mounted; directories made by earlier steps stay.
  ///
  /// - Throws: `mountFailed` or `system` with the reference's texts (graph-drivers 1.3): `creating overlay mount to …`,
  ///   `using mount program …`, `unmounting …`, `replacing mount point …`.
  @discardableResult
  package static func perform(_ plan: MountPlan) throws(StorageError) -> Outcome {
    for step in plan.steps {
      if case .stopIfMounted(let path, let viaProgram, let readOnly) = step {
        if try isMounted(path, viaProgram: viaProgram, readOnly: readOnly) { return .alreadyMounted }
      } else {
        try perform(step)
      }
    }
    return .done
  }

  /// Makes a directory a private mount of itself, so that mounts below do not spread (graph-drivers 4.4, 18.1).
  package static func makePrivateMount(_ directory: FilePath) throws(StorageError) {
    try attempt("mount", directory) { () throws(Errno) in
      if !MountTable.isMountPoint(directory) {
        try Syscall.mount(source: directory.string, target: directory, type: "none", flags: .bind)
      }
      try Syscall.mount(source: "", target: directory, type: nil, flags: .private)
    }
  }

  private static func perform(_ step: MountStep) throws(StorageError) {
    switch step {
    case .stopIfMounted: break
    case .ensureDirectory(let path, let mode, let owner):
      try DriverFiles.ensureDirectory(path, mode: mode, owner: owner)
    case .setOwner(let path, let owner): try DriverFiles.setOwner(path, owner)
    case .removeTree(let path): try removeTree(path)
    case .mountOverlay(let mount): try OverlayMounter.mount(mount)
    case .mountWithProgram(let program): try MountProgramRunner.mount(program)
    case .limitSpace(let path, let bytes): try Subvolume.limit(path, bytes: bytes)
    case .bindReadOnly(let tree, let path): try bindReadOnly(tree, path)
    case .unmountProgram(let path): MountProgramRunner.unmount(path)
    case .unmountChildren(let path): unmountChildren(path)
    case .unmount(let path): try unmount(path)
    case .replaceMountPoint(let path): try replaceMountPoint(path)
    }
  }

  /// Whether an overlay (or, by a mount program, a FUSE file system) is mounted at `path` (graph-drivers 8.1).
  ///
  /// - Throws: `busy` if it is mounted read-only and shall be writable: the caller would get less than it asked for.
  private static func isMounted(_ path: FilePath, viaProgram: Bool, readOnly: Bool) throws(StorageError) -> Bool {
    guard let info = try? Syscall.statfs(path) else { return false }
    let found = BackingFileSystem(magic: UInt32(truncatingIfNeeded: info.magic))
    guard found == .overlay || (viaProgram && found == .fuse), MountTable.isMountPoint(path) else { return false }
    if !readOnly, info.flags & readOnlyFlag != 0 {
      throw StorageError(.busy, "\(path) is already mounted read-only", path: path.string)
    }
    return true
  }

  /// `ST_RDONLY` of statvfs(3).
  private static let readOnlyFlag: UInt64 = 1

  /// Unmounts lazily. Not mounted (EINVAL) and missing (ENOENT) are success; EBUSY is tried again (graph-drivers 25.2).
  package static func unmount(_ path: FilePath) throws(StorageError) {
    for attempt in 0..<50 {
      do throws(Errno) {
        return try Syscall.umount(path, flags: [.detach, .noFollow])
      } catch .invalidArgument, .noSuchFileOrDirectory, .notDirectory {
        return
      } catch .resourceBusy where attempt < 49 {
        usleep(50_000)
      } catch {
        throw StorageError(
          .system, "unmounting \(goQuoted(path.string)): \(error.referenceText)", path: path.string, cause: error)
      }
    }
  }

  /// A bind mount becomes read-only only by a second call; if that fails, nothing stays mounted.
  private static func bindReadOnly(_ tree: FilePath, _ path: FilePath) throws(StorageError) {
    do throws(Errno) {
      try Syscall.mount(source: tree.string, target: path, type: nil, flags: .bind)
      do throws(Errno) {
        try Syscall.mount(source: nil, target: path, type: nil, flags: [.bind, .remount, .readOnly])
      } catch {
        try? Syscall.umount(path, flags: .detach)
        throw error
      }
    } catch {
      throw StorageError(
        .mountFailed, "mounting \(tree) read-only at \(path): \(error.referenceText)", path: path.string, cause: error)
    }
  }

  private static func unmountChildren(_ path: FilePath) {
    guard let entries = (try? DriverFiles.entries(path)) ?? nil else { return }
    for entry in entries { try? unmount(path.appending(entry.name)) }
  }

  /// Renames a fresh directory over the mount point, which detaches it from mounts that linger in other namespaces.
  private static func replaceMountPoint(_ path: FilePath) throws(StorageError) {
    let fresh = FilePath("\(path).1")
    do throws(StorageError) {
      let status = try DriverFiles.status(path, followingLinks: false)
      let owner = status.map { Owner(uid: $0.uid, gid: $0.gid) } ?? .root
      if DriverFiles.exists(fresh, followingLinks: false) { try removeTree(fresh) }
      try DriverFiles.makeDirectory(fresh, mode: 0o700, owner: owner)
      try DriverFiles.rename(fresh, path)
    } catch {
      throw error.wrapped("replacing mount point \(goQuoted(path.string))")
    }
  }
}
