// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageModel
internal import StowageSystem

/// The IDs that automatic user namespaces may have (store-semantics 12.1). Looked up anew for each, so that ranges that an
/// administrator adds are found.
struct SubordinateSets {
  /// User IDs.
  var uids = IDSet()
  /// Group IDs.
  var gids = IDSet()

  /// Looks them up. As root they are those of `user`, as the host has them; in a user's own namespace, 1 up to the number of
  /// the user's own ones. A failure is logged and leaves none, as in the reference.
  init(user: String) {
    let process = Rootlessness(environment: processEnvironment())
    let name = process.isRootless ? SubordinateSets.ownName(process) : user
    do throws(StorageError) {
      let maps = try SubordinateIDs.maps(user: name, group: name)
      uids = process.isRootless ? SubordinateSets.inside(maps.uids) : .host(maps.uids)
      gids = process.isRootless ? SubordinateSets.inside(maps.gids) : .host(maps.gids)
    } catch {
      Log.error("Cannot find mappings for user \(goQuoted(name)): \(error.message)")
    }
  }

  private static func ownName(_ process: Rootlessness) -> String {
    if let name = processEnvironment()["USER"], !name.isEmpty { return name }
    return UserEntry(uid: process.effectiveUID == 0 ? process.uid : process.effectiveUID)?.name ?? ""
  }

  private static func inside(_ map: [IDMapping]) -> IDSet {
    let count = IDSet.host(map).count
    return IDSet([1..<(count + 1)])
  }
}
