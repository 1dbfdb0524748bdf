// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive

/// Collects the distinct IDs of an archive's headers, whiteouts left out (archive-and-diff 6).
struct IDSets {
  private var uids: Set<UInt32> = []
  private var gids: Set<UInt32> = []
  private var lastUID: UInt32?
  private var lastGID: UInt32?

  /// Distinct user IDs, ascending.
  var sortedUIDs: [UInt32] { uids.sorted() }
  /// Distinct group IDs, ascending.
  var sortedGIDs: [UInt32] { gids.sorted() }

  /// Adds a header's IDs, cut to 32 bits; a global header counts as root.
  mutating func add(_ header: TarHeader) {
    if lastComponent(header.name).starts(with: whiteoutPrefix) { return }
    let uid = UInt32(truncatingIfNeeded: header.uid)
    let gid = UInt32(truncatingIfNeeded: header.gid)
    // Neighbours mostly have the same owner.
    if uid != lastUID { uids.insert(uid) }
    if gid != lastGID { gids.insert(gid) }
    lastUID = uid
    lastGID = gid
  }

  private func lastComponent(_ name: [UInt8]) -> ArraySlice<UInt8> {
    var end = name.count
    while end > 0, name[end - 1] == UInt8(ascii: "/") { end -= 1 }
    let start = name[..<end].lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    return name[start..<end]
  }
}
