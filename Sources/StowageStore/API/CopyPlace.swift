// SPDX-License-Identifier: Apache-2.0

/// Where ``Store/copy(_:to:owner:isCancelled:)`` copies from or to.
public enum CopyPlace: Hashable, Sendable {
  /// A path on the host; a relative one counts from the working directory.
  case host(String)
  /// A path in the tree of a layer, named by identifier, name or unique identifier prefix. It is resolved with the layer's
  /// root as root: no symbolic link and no `..` leads out.
  case layer(String, path: String)
}

/// The owner of copied files, as seen inside the target layer.
public struct CopyOwner: Hashable, Sendable {
  /// User ID.
  public var uid: UInt32
  /// Group ID.
  public var gid: UInt32

  /// Names an owner.
  public init(uid: UInt32, gid: UInt32) {
    self.uid = uid
    self.gid = gid
  }
}
