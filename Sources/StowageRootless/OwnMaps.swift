// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import StowageConfig
internal import StowageModel
internal import StowageSystem

/// The ID maps of a namespace for the user who runs this process (configuration-and-idmaps 16.2).
enum OwnMaps {
  /// The own IDs as 0, then the subordinate ones of the user's name, for groups too, from 1 on. A kind that cannot be
  /// looked up is warned about; the reference then drops the other one too.
  ///
  /// - Throws: `system` if the user has no name.
  static func determine() throws(StorageError) -> IDMaps {
    guard let user = UserEntry(uid: getuid()) else {
      throw StorageError(.system, "error determining current user: user: unknown userid \(getuid())")
    }
    var problem: String?
    func subordinates(_ lookUp: (String) throws(StorageError) -> [IDMapping]) -> [IDMapping] {
      do throws(StorageError) { return try lookUp(user.name).map(behindOwn) } catch {
        problem = problem ?? error.message
        return []
      }
    }
    let uids = subordinates { name throws(StorageError) in try SubordinateIDs.uids(of: name) }
    let gids = subordinates { name throws(StorageError) in try SubordinateIDs.gids(of: name) }
    if let problem {
      let name = goQuoted(user.name)
      Log.warning(
        "Reading allowed ID mappings: reading subuid mappings for user \(name) and subgid mappings for group \(name): "
          + problem)
      if uids.isEmpty { Log.warning("Found no UID ranges set aside for user \(name) in /etc/subuid.") }
      if gids.isEmpty { Log.warning("Found no GID ranges set aside for user \(name) in /etc/subgid.") }
    }
    return IDMaps(uids: [own(geteuid())] + uids, gids: [own(getegid())] + gids)
  }

  private static func own(_ id: UInt32) -> IDMapping { IDMapping(containerID: 0, hostID: Int(id), size: 1) }

  private static func behindOwn(_ range: IDMapping) -> IDMapping {
    IDMapping(containerID: range.containerID + 1, hostID: range.hostID, size: range.size)
  }
}
