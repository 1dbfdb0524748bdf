// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import StowageFiles
internal import StowageSystem
package import SystemPackage

/// Mounts a fresh btrfs, made in a file on a loop device, at an existing directory.
///
/// The file has no name any more when this returns, and the loop device goes with its mount: unmounting is all it takes
/// to remove everything, and that is what the removal of a test's directory does.
package func mountBtrfs(at directory: FilePath, megabytes: Int = 1024) throws {
  let image = FilePath("/tmp/stowage-btrfs-\(getpid())-\(UInt64.random(in: .min ... .max)).img")
  let result = try shell(
    """
    set -e
    trap 'rm -f \(image)' EXIT
    truncate -s \(megabytes)M \(image)
    mkfs.btrfs -q \(image) >/dev/null
    mount -o loop \(image) '\(directory)'
    """)
  guard result.isSuccess else { throw VolumeFailure(description: result.description) }
}

extension TemporaryDirectory {
  /// Creates the directory on a file system that suits the driver.
  package convenience init(_ label: String, for driver: String) throws {
    try self.init(label)
    if driver == "btrfs" { try mountBtrfs(at: path) }
  }
}

/// Drivers whose stores can be made here, or those of them that `STOWAGE_DRIVERS` names (`vfs` needs no mounts).
package let availableDrivers: [String] = {
  if let names = environmentValue("STOWAGE_DRIVERS") { return names.split(separator: " ").map(String.init) }
  return ["overlay", "vfs"] + (canMountBtrfs ? ["btrfs"] : [])
}()

/// The directory below the graph root in which a driver has one directory for each layer.
package func layerHome(of driver: String) -> String {
  switch driver {
  case "vfs": "vfs/dir"
  case "btrfs": "btrfs/subvolumes"
  default: driver
  }
}

/// Why a file system could not be made.
package struct VolumeFailure: Error, CustomStringConvertible {
  /// What the tools said.
  package let description: String
}

/// Whether this machine lets tests mount btrfs: root, `mkfs.btrfs`, loop devices and a kernel that knows it.
package let canMountBtrfs: Bool = {
  guard isRoot, commandExists("mkfs.btrfs") else { return false }
  do {
    return try withTemporaryDirectory("probe") { directory in
      try mountBtrfs(at: directory, megabytes: 128)
      try Syscall.umount(directory, flags: .detach)
      return true
    }
  } catch {
    return false
  }
}()
