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
  /// All known names: in the order in which leftovers of a driver are looked for, and in which drivers are tried if nothing
  /// is configured.
  private static let known = [
    KnownDriver("overlay", OverlayDriver.make(_:)),
    KnownDriver("overlay2", makeOverlay2, .alias),
    KnownDriver("btrfs", BtrfsDriver.make),
    KnownDriver("zfs", refuseZFS),
    KnownDriver("vfs", VFSDriver.make, .lastResort),
  ]

  /// Makes the driver for a store. Needs `storage.lock` exclusively.
  ///
  /// An explicit `name` is used as it is. Without one, the first driver of the priority list that has a directory in the
  /// graph root must work; else the first that works is used.
  ///
  /// - Parameter priority: the configured order, empty for the default.
  /// - Throws: `unsupportedDriver` (`failed to GetDriver graph …`, `no supported storage backend found`),
  ///   `invalidOption` (`… contains several valid graphdrivers …`), and what a driver throws.
  package static func makeDriver(
    name: String?, priority: [String] = [], _ given: DriverContext
  ) throws(StorageError) -> any GraphDriver {
    let names = known.map(\.name)
    var context = given
    context.driverNames = Set(names)
    if let name, !name.isEmpty { return try make(name, context) }
    var prior: [String] = []
    for name in names where try HostFiles.exists(context.graphRoot.appending(name)) { prior.append(name) }
    let order = priority.isEmpty ? known.filter { $0.rank != .alias }.map(\.name) : priority
    for candidate in order where !(priority.isEmpty && isLastResort(candidate)) && prior.contains(candidate) {
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
    for candidate in order + names.filter({ !order.contains($0) }) {
      do throws(StorageError) { return try make(candidate, context) } catch  where isSkippable(error) {
        Log.debug("driver \(candidate) is not usable: \(error)")
      }
    }
    throw StorageError(.unsupportedDriver, "no supported storage backend found", path: context.graphRoot.string)
  }

  private static func isLastResort(_ name: String) -> Bool {
    known.contains { $0.name == name && $0.rank == .lastResort }
  }

  private static func isSkippable(_ error: StorageError) -> Bool {
    error.code == .unsupportedDriver || error.code == .prerequisites || error.code == .incompatibleFileSystem
  }

  private static func make(_ name: String, _ context: DriverContext) throws(StorageError) -> any GraphDriver {
    guard let driver = known.first(where: { $0.name == name }) else { throw unsupported(name, "", context) }
    return try driver.make(context)
  }

  /// The name of old configurations. Its own directory is used only where one exists (graph-drivers 26.12).
  private static func makeOverlay2(_ context: DriverContext) throws(StorageError) -> any GraphDriver {
    let hasOwn = try HostFiles.isDirectory(context.graphRoot.appending("overlay2"))
    return try OverlayDriver.make(context, homeName: hasOwn ? "overlay2" : "overlay")
  }

  private static func refuseZFS(_ context: DriverContext) throws(StorageError) -> any GraphDriver {
    throw unsupported("zfs", "Stowage has no zfs driver, use overlay or vfs: ", context)
  }

  private static func unsupported(_ name: String, _ reason: String, _ context: DriverContext) -> StorageError {
    let failure = "GetDriver graph \(name) \(context.graphRoot)"
    Log.error("Failed to \(failure)")
    return StorageError(
      .unsupportedDriver, "failed to \(failure): \(reason)\(StorageError.Code.unsupportedDriver.text)", subject: name,
      path: context.graphRoot.string)
  }
}

/// A name and the driver behind it.
private struct KnownDriver: Sendable {
  enum Rank: Sendable {
    /// Tried in its turn.
    case ordinary
    /// Tried by name, or after all others.
    case alias
    /// Tried in its turn; that it has a directory in the graph root alone does not choose it.
    case lastResort
  }

  let name: String
  let rank: Rank
  let make: @Sendable (DriverContext) throws(StorageError) -> any GraphDriver

  init(
    _ name: String, _ make: @escaping @Sendable (DriverContext) throws(StorageError) -> any GraphDriver,
    _ rank: Rank = .ordinary
  ) {
    self.name = name
    self.rank = rank
    self.make = make
  }
}
