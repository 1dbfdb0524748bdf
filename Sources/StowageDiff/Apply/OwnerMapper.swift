// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageSystem

/// Owners of an archive's entries on the host (archive-and-diff 4.4).
struct OwnerMapper {
  private let maps: IDMaps
  private let override: ApplyOptions.Owner?
  private var last: (uid: Int64, gid: Int64, owner: ApplyOptions.Owner)?

  init(maps: IDMaps, override: ApplyOptions.Owner?) {
    self.maps = maps
    self.override = override
  }

  /// The host's IDs for those of a header. IDs are cut to 32 bits as the kernel sees them.
  ///
  /// - Throws: code `invalidMappings`, text `container ID N cannot be mapped to a host ID`.
  mutating func map(uid: Int64, gid: Int64) throws(StorageError) -> ApplyOptions.Owner {
    // Neighbours mostly have the same owner.
    if let last, last.uid == uid, last.gid == gid { return last.owner }
    let owner = try OwnerMapper.wrap { () throws(IDMapError) in
      try maps.hostIDs(uid: override.map { Int($0.uid) } ?? Int(uid), gid: override.map { Int($0.gid) } ?? Int(gid))
    }
    last = (uid, gid, owner)
    return owner
  }

  /// The owner of directories the archive has no entry for.
  func root() throws(StorageError) -> ApplyOptions.Owner {
    try OwnerMapper.wrap { () throws(IDMapError) in try maps.rootHostIDs() }
  }

  private static func wrap(
    _ body: () throws(IDMapError) -> (uid: Int, gid: Int)
  ) throws(StorageError) -> ApplyOptions.Owner {
    do throws(IDMapError) {
      let mapped = try body()
      return ApplyOptions.Owner(
        uid: UInt32(truncatingIfNeeded: mapped.uid), gid: UInt32(truncatingIfNeeded: mapped.gid))
    } catch {
      throw StorageError(.invalidMappings, error.description, cause: error)
    }
  }
}
