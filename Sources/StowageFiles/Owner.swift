// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import StowageModel

/// A numeric owner.
package struct Owner: Hashable, Sendable {
  /// The user ID on the host.
  package let uid: UInt32
  /// The group ID on the host.
  package let gid: UInt32

  /// Pairs a user and a group.
  package init(uid: UInt32, gid: UInt32) {
    self.uid = uid
    self.gid = gid
  }

  /// 0:0.
  package static let root = Owner(uid: 0, gid: 0)
}

extension Owner {
  /// The effective user and group of this process.
  package static var current: Owner { Owner(uid: geteuid(), gid: getegid()) }

  /// The host owner of container ID 0.
  ///
  /// - Throws: `invalidMappings`: `container ID 0 cannot be mapped to a host ID`.
  package init(rootOf maps: IDMaps) throws(StorageError) {
    do throws(IDMapError) {
      let root = try maps.rootHostIDs()
      guard let uid = UInt32(exactly: root.uid), let gid = UInt32(exactly: root.gid) else { throw .container(0) }
      self.init(uid: uid, gid: gid)
    } catch {
      throw StorageError(.invalidMappings, error.description, cause: error)
    }
  }
}
