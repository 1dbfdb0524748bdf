// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageDriverAPI
package import StowageModel
import SystemPackage

extension OverlayDriver {
  /// The probes for this driver's home.
  var probes: OverlayProbes {
    OverlayProbes(
      home: graphHome, cache: ProbeCache(directory: runHome), mountOptions: settings.mountOptions, backing: backing,
      inUserNamespace: context.inUserNamespace)
  }

  /// Whether differences are native; asked once when the driver is made.
  var nativeDiff: NativeDiff { features.nativeDiff }

  /// Whether mounts may be volatile; mount programs are assumed to know it.
  func supportsVolatile() throws(StorageError) -> Bool {
    settings.mountProgram != nil ? true : try probes.volatile()
  }

  /// By a mount program: whether the maps are contiguous. By the kernel: whether it has idmapped lower directories.
  package func supportsShifting(_ maps: IDMaps) -> Bool {
    if settings.mountProgram != nil {
      return OverlayDriver.isContiguous(maps.uids) && OverlayDriver.isContiguous(maps.gids)
    }
    if let value = getenv("_CONTAINERS_OVERLAY_DISABLE_IDMAP"), String(cString: value) == "yes" { return false }
    return geteuid() == 0 && probes.idmappedLowers()
  }

  /// The kernel shifts what is below the upper directory only.
  package var storesHostIDs: Bool { settings.mountProgram == nil }

  private static func isContiguous(_ map: [IDMapping]) -> Bool {
    func adjacent(_ key: (IDMapping) -> Int) -> Bool {
      let sorted = map.sorted { key($0) < key($1) }
      return zip(sorted, sorted.dropFirst()).allSatisfy { first, second in
        let (end, overflow) = key(first).addingReportingOverflow(first.size)
        return !overflow && end == key(second)
      }
    }
    return adjacent(\.hostID) && adjacent(\.containerID)
  }
}
