// SPDX-License-Identifier: Apache-2.0

/// A mounted layer, an entry of `mountpoints.json`. Source: on-disk-format 4.5.
public struct MountRecord: Hashable, Sendable {
  /// The layer. As recorded: readers look it up like a name.
  public var id: LayerID
  /// The mount point, absolute; empty entries are to be ignored.
  public var path: String
  /// How often it was mounted.
  public var count: Int

  /// Makes an entry.
  public init(id: LayerID, path: String, count: Int) {
    self.id = id
    self.path = path
    self.count = count
  }
}
