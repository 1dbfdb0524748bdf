// SPDX-License-Identifier: Apache-2.0
internal import Glibc
package import SystemPackage

/// A file system that is quickly full.
package enum SmallVolume: String, Sendable, CaseIterable {
  case ext4
  case tmpfs

  /// Mounts a fresh one at an existing directory; it goes with its mount.
  package func mount(at directory: FilePath, megabytes: Int = 32, inodes: Int = 1000) throws {
    let image = "/tmp/stowage-small-\(getpid())-\(UInt64.random(in: .min ... .max)).img"
    let script =
      switch self {
      case .tmpfs: "mount -t tmpfs -o size=\(megabytes)m,nr_inodes=\(inodes),mode=0700 none '\(directory)'"
      case .ext4:
        """
        set -e
        trap 'rm -f \(image)' EXIT
        truncate -s \(megabytes)M \(image)
        mkfs.ext4 -q -F -m0 -N \(inodes) \(image)
        mount -o loop \(image) '\(directory)'
        """
      }
    let result = try shell(script)
    guard result.isSuccess else { throw VolumeFailure(description: result.description) }
  }
}

/// What a file system can run out of.
package enum Exhaustion: String, Sendable, CaseIterable {
  case blocks
  case inodes

  /// Takes all that is left at a directory.
  package func exhaust(_ directory: FilePath) throws {
    let name = "\(directory)/fill-\(UInt64.random(in: .min ... .max))"
    let script =
      switch self {
      case .blocks:
        // A file system keeps more blocks for what is not written yet than that takes in the end: more than one turn. The last
        // bytes go by files, in case whole blocks are of no use any more.
        "set +e; dd if=/dev/zero of=\(name).M bs=1M; for turn in 1 2 3; do dd if=/dev/zero of=\(name).k$turn bs=1k; "
          + "sync -f '\(directory)'; done; "
          + "i=0; while [ $i -lt 50 ] && { echo x >\(name).$i; } 2>/dev/null; do i=$((i+1)); done; true"
      case .inodes: "i=0; while (: >\(name).$i) 2>/dev/null; do i=$((i+1)); done; true"
      }
    let result = try shell(script)
    guard result.isSuccess else { throw VolumeFailure(description: result.description) }
  }
}

/// Whether this machine lets tests mount file systems of their own.
package let canMountVolumes = isRoot && commandExists("mkfs.ext4")
