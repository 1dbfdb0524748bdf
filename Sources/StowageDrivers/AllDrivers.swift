// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
import StowageDriverBtrfs
import StowageDriverOverlay
import StowageDriverVFS
import StowageFiles
package import StowageModel
import SystemPackage

/// The one place that names drivers (graph-drivers 2).
package enum StowageDrivers {
  /// Registered names, in the order in which leftovers of a driver are looked for.
  private static let registered = ["overlay", "overlay2", "btrfs", "zfs", "vfs"]
  /// The order in which drivers are tried if nothing is configured.
  private static let defaultPriority = ["overlay", "btrfs", "zfs", "vfs"]

  /// Makes the driver for a store. Needs `storage.lock` exclusively.
  ///
  /// An explicit `name` is used as it is. Without one, the first driver of the priority list that has a directory in the
  /// graph root must work; else the first that works is used.
  ///
  /// - Parameter priority: the configured order, empty for the default.
  /// - Throws: `unsupportedDriver` (`failed to GetDriver graph …`, `no supported storage backend found`),
  ///   `invalidOption` (`… contains several valid graphdrivers …`), and what a driver throws.
  package static func makeDriver(
    name: String?, priority: [String] = [], _ context: DriverContext
  ) throws(StorageError) -> any GraphDriver {
    if let name, !name.isEmpty { return try make(name, context) }
    let prior = registered.filter { HostFiles.exists(context.graphRoot.appending($0)) }
    let order = priority.isEmpty ? defaultPriority : priority
    for candidate in order where !(priority.isEmpty && candidate == "vfs") && prior.contains(candidate) {
      let driver: any GraphDriver
      do throws(StorageError) { driver = try make(candidate, context) } catch {
        Log.error("[graphdriver] prior storage driver \(candidate) failed: \(error)")
        throw error
      }
      guard prior.count < 2 else {
        throw StorageError(
          .invalidOption,
          "\(context.graphRoot) contains several valid graphdrivers: \(prior.joined(separator: ", ")); Please cleanup or "
            + "explicitly choose storage driver (-s <DRIVER>)", path: context.graphRoot.string)
      }
      return driver
    }
    for candidate in order + registered.filter({ !order.contains($0) }) {
      do throws(StorageError) { return try make(candidate, context) } catch  where isSkippable(error) {
        Log.debug("driver \(candidate) is not usable: \(error)")
      }
    }
    throw StorageError(.unsupportedDriver, "no supported storage backend found", path: context.graphRoot.string)
  }

  private static func isSkippable(_ error: StorageError) -> Bool {
    error.code == .unsupportedDriver || error.code == .prerequisites || error.code == .incompatibleFileSystem
  }

  private static func make(_ name: String, _ context: DriverContext) throws(StorageError) -> any GraphDriver {
    switch name {
    case "overlay": return try OverlayDriver.make(context)
    case "overlay2":
      // The name of old configurations. Its own directory is used only where one exists (graph-drivers 26.12).
      let hasOwn = HostFiles.isDirectory(context.graphRoot.appending("overlay2"))
      return try OverlayDriver.make(context, homeName: hasOwn ? "overlay2" : "overlay")
    case "btrfs": return try BtrfsDriver.make(context)
    case "vfs": return try VFSDriver.make(context)
    case "zfs": throw unsupported(name, "Stowage has no zfs driver, use overlay or vfs: ", context)
    default: throw unsupported(name, "", context)
    }
  }

  private static func unsupported(_ name: String, _ reason: String, _ context: DriverContext) -> StorageError {
    let failure = "GetDriver graph \(name) \(context.graphRoot)"
    Log.error("Failed to \(failure)")
    return StorageError(
      .unsupportedDriver, "failed to \(failure): \(reason)\(StorageError.Code.unsupportedDriver.text)", subject: name,
      path: context.graphRoot.string)
  }
}
