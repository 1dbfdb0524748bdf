// SPDX-License-Identifier: Apache-2.0

package import StowageModel
internal import StowageSystem

/// How the owners of a tree on disk become those of other ID maps: through the IDs that the container sees.
package struct OwnerShift: Hashable, Sendable {
  /// The maps the tree has on disk; empty for none.
  package let from: IDMaps
  /// The maps it shall have; empty for none.
  package let to: IDMaps
  /// The owner of everything that the container's root owns.
  package let root: ApplyOptions.Owner

  /// What stands for IDs that the new maps do not have. The kernel's own overflow ID is a setting; on disk it is always this
  /// one (configuration-and-idmaps 21.16).
  package static let overflowID: UInt32 = 65534

  /// Pairs the maps.
  ///
  /// - Throws: `invalidMappings` if `to` has no ID 0.
  package init(from: IDMaps, to: IDMaps) throws(StorageError) {
    self.from = from
    self.to = to
    root = try OwnerMapper(maps: to, override: nil).root()
  }

  /// The new owner of an object (configuration-and-idmaps 18).
  ///
  /// IDs that the old maps do not have are an error, apart from 0:0; IDs that the new maps do not have become
  /// ``overflowID``.
  ///
  /// - Throws: `host ID N cannot be mapped to a container ID`.
  package func owner(uid: UInt32, gid: UInt32) throws(IDMapError) -> ApplyOptions.Owner {
    var seen = (uid: Int(uid), gid: Int(gid))
    do throws(IDMapError) { seen = try from.containerIDs(uid: seen.uid, gid: seen.gid) } catch {
      guard uid == 0, gid == 0 else { throw error }
    }
    return ApplyOptions.Owner(
      uid: OwnerShift.host(seen.uid, root.uid, to.hostUID(of: seen.uid)),
      gid: OwnerShift.host(seen.gid, root.gid, to.hostGID(of: seen.gid)))
  }

  /// The new owner of an object of a tree, with the reference's words for one that has none.
  func owner(of status: FileStatus, _ path: some Collection<UInt8>) throws(StorageError) -> ApplyOptions.Owner {
    do throws(IDMapError) { return try owner(uid: status.uid, gid: status.gid) } catch {
      throw StorageError(
        .invalidMappings,
        "mapping host ID pair idtools.IDPair{UID:\(status.uid), GID:\(status.gid)} for "
          + "\(goQuoted(bytes: Array(path))) to container: \(error)", cause: error)
    }
  }

  private static func host(_ id: Int, _ root: UInt32, _ mapped: Int?) -> UInt32 {
    // As the reference has it: what equals the root's ID on the host is taken for mapped already.
    if id == Int(root) { return root }
    guard let mapped, let host = UInt32(exactly: mapped), host != .max else { return overflowID }
    return host
  }
}
