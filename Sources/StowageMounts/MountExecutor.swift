// SPDX-License-Identifier: Apache-2.0

import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

/// Performs mount plans.
package enum MountExecutor {
  /// Does the steps of a plan in order.
  ///
  /// If a mount step fails, nothing is left mounted; directories made by earlier steps stay.
  ///
  /// - Throws: `mountFailed` or `system` with the reference's texts (graph-drivers 1.3): `creating overlay mount to …`,
  ///   `using mount program …`, `unmounting …`, `replacing mount point …`.
  @discardableResult
  package static func perform(_ plan: MountPlan) throws(StorageError) -> MountOutcome {
    for step in plan.steps {
      if try step.perform() == .alreadyMounted { return .alreadyMounted }
    }
    return .done
  }

  /// Makes a directory a private mount of itself, so that mounts below do not spread (graph-drivers 4.4, 18.1).
  ///
  /// A symbolic link is followed: what is mounted where it leads is seen, and not covered by another mount.
  package static func makePrivateMount(_ directory: FilePath) throws(StorageError) {
    let place = MountTable.canonical(directory)
    try attempt("mount", directory) { () throws(Errno) in
      if !MountTable.isMountPoint(place) {
        try Syscall.mount(source: place.string, target: place, type: "none", flags: .bind)
      }
      try Syscall.mount(source: "", target: place, type: nil, flags: .private)
    }
  }

  /// Ends what ``makePrivateMount(_:)`` has made. A file system that somebody else mounted there stays.
  package static func endPrivateMount(_ directory: FilePath) throws(StorageError) {
    let own: MountTable.Entry?
    do throws(Errno) { own = try MountTable.bindOntoItself(directory) } catch .noSuchFileOrDirectory, .notDirectory {
      return
    } catch {
      throw .failed("examine the mounts of", directory, error)
    }
    if let own { try unmount(own.mountPoint) }
  }

  /// Unmounts lazily. Not mounted (EINVAL) and missing (ENOENT) are success; EBUSY is tried again (graph-drivers 25.2).
  package static func unmount(_ path: FilePath) throws(StorageError) {
    do throws(Errno) {
      try retryingWhileBusy(attempts: 50, pause: 50) { () throws(Errno) in
        try Syscall.umount(path, flags: [.detach, .noFollow])
      }
    } catch .invalidArgument, .noSuchFileOrDirectory, .notDirectory {
      return
    } catch {
      throw StorageError(
        .system, "unmounting \(goQuoted(path.string)): \(error.referenceText)", path: path.string, cause: error)
    }
  }
}
