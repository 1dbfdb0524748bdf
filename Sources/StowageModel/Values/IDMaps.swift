// SPDX-License-Identifier: Apache-2.0

/// One range of an ID map: `size` IDs from `containerID` inside to `hostID` outside.
///
/// Values are as recorded: 64 bits, never sorted, merged or validated here. Source: on-disk-format 4.7.
public struct IDMapping: Hashable, Sendable {
  /// First ID as seen in the container.
  public var containerID: Int
  /// First ID on the host.
  public var hostID: Int
  /// Number of IDs.
  public var size: Int

  /// Makes a range.
  public init(containerID: Int, hostID: Int, size: Int) {
    self.containerID = containerID
    self.hostID = hostID
    self.size = size
  }
}

/// The user and group ID maps of a layer or container. An empty list is the identity. Source: configuration-and-idmaps 11.
public struct IDMaps: Hashable, Sendable {
  /// User ranges in the caller's order; the first that fits an ID counts.
  public var uids: [IDMapping]
  /// Group ranges.
  public var gids: [IDMapping]

  /// Makes maps; both empty is the identity.
  public init(uids: [IDMapping] = [], gids: [IDMapping] = []) {
    self.uids = uids
    self.gids = gids
  }

  /// True if both lists have no entries.
  public var isEmpty: Bool { uids.isEmpty && gids.isEmpty }

  /// Translates IDs seen in the container to those on the host.
  ///
  /// - Throws: ``IDMapError/container(_:)`` for the first (user before group) that no range covers.
  public func hostIDs(uid: Int, gid: Int) throws(IDMapError) -> (uid: Int, gid: Int) {
    (try IDMaps.toHost(uid, uids), try IDMaps.toHost(gid, gids))
  }

  /// Translates IDs of the host to those seen in the container.
  ///
  /// - Throws: ``IDMapError/host(_:)`` for the first (user before group) that no range covers.
  public func containerIDs(uid: Int, gid: Int) throws(IDMapError) -> (uid: Int, gid: Int) {
    (try IDMaps.toContainer(uid, uids), try IDMaps.toContainer(gid, gids))
  }

  /// As ``hostIDs(uid:gid:)``, with nil instead of an error.
  public func toHost(uid: Int, gid: Int) -> (uid: Int, gid: Int)? { try? hostIDs(uid: uid, gid: gid) }

  /// As ``containerIDs(uid:gid:)``, with nil instead of an error.
  public func toContainer(uid: Int, gid: Int) -> (uid: Int, gid: Int)? { try? containerIDs(uid: uid, gid: gid) }

  /// The user ID seen in the container for one of the host; `nil` if no range covers it.
  package func containerUID(of host: Int) -> Int? { try? IDMaps.toContainer(host, uids) }

  /// The group ID seen in the container for one of the host; `nil` if no range covers it.
  package func containerGID(of host: Int) -> Int? { try? IDMaps.toContainer(host, gids) }

  /// The user ID on the host for one seen in the container; `nil` if no range covers it.
  package func hostUID(of container: Int) -> Int? { try? IDMaps.toHost(container, uids) }

  /// The group ID on the host for one seen in the container; `nil` if no range covers it.
  package func hostGID(of container: Int) -> Int? { try? IDMaps.toHost(container, gids) }

  /// The host IDs that own new layer directories: per kind the host ID of a single range of size 1 whatever it maps,
  /// else where 0 goes.
  ///
  /// - Throws: ``IDMapError/container(_:)`` if nothing maps 0.
  public func rootHostIDs() throws(IDMapError) -> (uid: Int, gid: Int) {
    (try IDMaps.root(uids), try IDMaps.root(gids))
  }

  private static func root(_ map: [IDMapping]) throws(IDMapError) -> Int {
    if map.count == 1, map[0].size == 1 { return map[0].hostID }
    return try toHost(0, map)
  }

  private static func toHost(_ id: Int, _ map: [IDMapping]) throws(IDMapError) -> Int {
    if map.isEmpty { return id }
    for range in map {
      if let mapped = shift(id, from: range.containerID, to: range.hostID, size: range.size) { return mapped }
    }
    throw .container(id)
  }

  private static func toContainer(_ id: Int, _ map: [IDMapping]) throws(IDMapError) -> Int {
    if map.isEmpty { return id }
    for range in map {
      if let mapped = shift(id, from: range.hostID, to: range.containerID, size: range.size) { return mapped }
    }
    throw .host(id)
  }

  /// Ranges come from disk: no arithmetic may trap.
  private static func shift(_ id: Int, from: Int, to: Int, size: Int) -> Int? {
    let (offset, overflow) = id.subtractingReportingOverflow(from)
    guard !overflow, offset >= 0, offset < size else { return nil }
    let (mapped, overflowed) = to.addingReportingOverflow(offset)
    return overflowed ? nil : mapped
  }
}

/// An ID that no range of a map covers.
public enum IDMapError: Error, Sendable, Hashable, CustomStringConvertible {
  /// An ID of the container has no ID on the host.
  case container(Int)
  /// An ID of the host has no ID in the container.
  case host(Int)

  /// The reference text.
  public var description: String {
    switch self {
    case .container(let id): "container ID \(id) cannot be mapped to a host ID"
    case .host(let id): "host ID \(id) cannot be mapped to a container ID"
    }
  }
}
