// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import StowageSystem
internal import SystemPackage

/// Ranges of IDs that users may map, from `/etc/subuid` and `/etc/subgid` (configuration-and-idmaps 10, the file build).
package enum SubordinateIDs {
  /// The maps of a user's ranges in both files, see ``uids(of:directory:)`` and ``gids(of:directory:)``.
  package static func maps(user: String, group: String, directory: String = "/etc") throws(StorageError) -> IDMaps {
    IDMaps(uids: try uids(of: user, directory: directory), gids: try gids(of: group, directory: directory))
  }

  /// The user IDs of a user: sorted by first ID, container IDs counted up from 0.
  ///
  /// - Parameters:
  ///   - user: Name in `subuid`, or `ALL`.
  ///   - directory: Where the files are.
  /// - Throws: ``StorageError/Code/invalidMappings`` if the file is malformed or has no range;
  ///   ``StorageError/Code/system`` if it cannot be read.
  package static func uids(of user: String, directory: String = "/etc") throws(StorageError) -> [IDMapping] {
    let found = try ranges(of: user, in: directory + "/subuid", passwd: directory + "/passwd")
    if found.isEmpty {
      throw StorageError(.invalidMappings, "no subuid ranges found for user \(goQuoted(user)) in /etc/subuid")
    }
    return try consecutive(found)
  }

  /// The group IDs of a group, likewise; lines of `subgid` with the number of the *user* of that name match too.
  package static func gids(of group: String, directory: String = "/etc") throws(StorageError) -> [IDMapping] {
    let found = try ranges(of: group, in: directory + "/subgid", passwd: directory + "/passwd")
    if found.isEmpty {
      throw StorageError(.invalidMappings, "no subgid ranges found for group \(goQuoted(group)) in /etc/subgid")
    }
    return try consecutive(found)
  }

  private static func ranges(
    of name: String, in path: String, passwd: String
  ) throws(StorageError) -> [(start: Int, length: Int)] {
    let number = userNumber(of: name, in: passwd)
    let text = String(
      decoding: try attempt("open", FilePath(path)) { () throws(Errno) in try Syscall.readFile(FilePath(path)) },
      as: UTF8.self)
    var out: [(start: Int, length: Int)] = []
    for line in text.split(separator: "\n") {
      let trimmed = line.trimmed
      if trimmed.isEmpty || trimmed.hasPrefix("#") { continue }
      let fields = trimmed.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count == 3 else {
        throw StorageError(
          .invalidMappings, "cannot parse subuid/gid information: Format not correct for \(path) file", path: path)
      }
      guard name == "ALL" || fields[0] == name || (number.map { fields[0] == $0 } ?? false) else { continue }
      out.append((try integer(fields[1], path), try integer(fields[2], path)))
    }
    return out.sorted { $0.start < $1.start }
  }

  private static func integer(_ text: Substring, _ path: String) throws(StorageError) -> Int {
    if let value = Int(text) { return value }
    throw StorageError(
      .invalidMappings,
      "string to int conversion failed during subuid/gid parsing of \(path): strconv.Atoi: parsing "
        + "\(goQuoted(String(text))): invalid syntax",
      plain: "\(path): \(goQuoted(String(text))) is no number of an ID", path: path)
  }

  private static func userNumber(of name: String, in path: String) -> String? {
    // Without the file no user has a number.
    guard let bytes = try? Syscall.readFile(FilePath(path)) else { return nil }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      if fields.count > 2, fields[0] == name { return String(fields[2]) }
    }
    return nil
  }

  private static func consecutive(_ ranges: [(start: Int, length: Int)]) throws(StorageError) -> [IDMapping] {
    var next = 0
    var out: [IDMapping] = []
    for range in ranges {
      out.append(IDMapping(containerID: next, hostID: range.start, size: range.length))
      let (sum, overflow) = next.addingReportingOverflow(range.length)
      if overflow { throw StorageError(.invalidMappings) }
      next = sum
    }
    return out
  }
}

extension Substring {
  /// Without white space at both ends.
  fileprivate var trimmed: Substring {
    var out = drop { $0.isWhitespace }
    while let last = out.last, last.isWhitespace { out.removeLast() }
    return out
  }
}
