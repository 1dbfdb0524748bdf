// SPDX-License-Identifier: Apache-2.0

/// How much of a new layer's content is forced to the device before the layer counts as complete.
package enum SyncPolicy: Sendable, Hashable {
  /// Nothing: after a power loss a complete layer may have empty files.
  case none
  /// `syncfs` once before the layer's record is completed (on-disk-format 3).
  case fileSystem
  /// `fsync` of each file as it is written, and of each directory.
  case eachFile
}
