// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageConfig
import StowageModel
import StowageStore

/// The ID map options of commands that create layers and containers (cli 16.1; configuration-and-idmaps 9.1).
enum IDMapOptions {
  private static let hostUIDs = OptionDefinition("--hostuidmap", usage: "Force host UID map")
  private static let hostGIDs = OptionDefinition("--hostgidmap", usage: "Force host GID map")
  private static let uidMap = OptionDefinition("--uidmap", kind: .text(), usage: "UID map")
  private static let gidMap = OptionDefinition("--gidmap", kind: .text(), usage: "GID map")
  private static let subordinateUser = OptionDefinition(
    "--subuidmap", kind: .text(), usage: "subuid UID map for a user")
  private static let subordinateGroup = OptionDefinition(
    "--subgidmap", kind: .text(), usage: "subgid GID map for a group")

  static let all = [hostUIDs, hostGIDs, uidMap, gidMap, subordinateUser, subordinateGroup]

  /// What the options ask for: ranges of subordinate IDs first, then the maps given as numbers.
  ///
  /// A map for one kind of ID does not make one for the other.
  static func request(_ options: OptionValues) throws(StorageError) -> IDMapRequest {
    var user = options[text: subordinateUser]
    var group = options[text: subordinateGroup]
    let uids = options[text: uidMap]
    let gids = options[text: gidMap]
    if options[flag: hostUIDs], !(uids.isEmpty && user.isEmpty) {
      throw StorageError(.usage, "host uid map specified along with UID mapping")
    }
    if options[flag: hostGIDs], !(gids.isEmpty && group.isEmpty) {
      throw StorageError(.usage, "host gid map specified along with GID mapping")
    }
    if user.isEmpty { user = group }
    if group.isEmpty { group = user }
    var maps = IDMaps()
    if !user.isEmpty { maps = try SubordinateIDs.maps(user: user, group: group) }
    maps.uids += try ranges(uids, "uid")
    maps.gids += try ranges(gids, "gid")
    return IDMapRequest(usesHostUIDs: options[flag: hostUIDs], usesHostGIDs: options[flag: hostGIDs], maps: maps)
  }

  private static func ranges(_ text: String, _ kind: String) throws(StorageError) -> [IDMapping] {
    do throws(StorageError) { return try parseIDMappings(text, kind: kind) } catch {
      throw StorageError(
        .usage, error.message,
        plain: "--\(kind)map \(goQuoted(text)): must be CONTAINER:HOST:SIZE, maybe several joined by colons")
    }
  }
}
