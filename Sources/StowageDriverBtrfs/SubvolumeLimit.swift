// SPDX-License-Identifier: Apache-2.0

import StowageModel
import StowageMounts
import SystemPackage

/// Limits what a subvolume may hold.
struct SubvolumeLimit: MountStep {
  private let path: FilePath
  private let bytes: UInt64

  /// Names the subvolume and its limit.
  init(_ path: FilePath, bytes: UInt64) {
    self.path = path
    self.bytes = bytes
  }

  /// Sets the limit; switches quotas on.
  func perform() throws(StorageError) -> MountOutcome {
    try Subvolume.limit(path, bytes: bytes)
    return .done
  }

  /// The command that does about the same.
  var description: String { "btrfs qgroup limit \(bytes) \(path)" }
}
