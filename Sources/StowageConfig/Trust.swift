// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import StowageSystem
internal import SystemPackage

/// Whether root may do what a file says.
enum Trust {
  /// Why somebody else may decide what is in a file: it, a directory above it, or a link on the way belongs to or can be written by
  /// others. `nil` if root alone can, or if nothing is there.
  static func objection(to path: String) -> String? {
    guard Syscall.exists(FilePath(path)) else { return nil }
    // The way as written, with its links, and the way they lead.
    // What masks a file says nothing itself.
    let target = Path.resolvingLinks(path).flatMap { $0 == "/dev/null" ? nil : $0 }
    return ([path] + (target.map { [$0] } ?? [])).lazy.compactMap(objection(toWay:)).first
  }

  private static func objection(toWay path: String) -> String? {
    // Tests play root as whoever runs them.
    let own = geteuid()
    var place = FilePath(path)
    guard place.isAbsolute else { return "its path is not absolute" }
    while true {
      guard let status = try? Syscall.lstat(place) else { return "\(place) cannot be examined" }
      if status.uid != 0, status.uid != own { return "\(place) belongs to user \(status.uid)" }
      // In a sticky directory nobody replaces what is root's.
      let isProtected = status.kind == .symbolicLink || (status.isDirectory && status.mode & 0o1000 != 0)
      if !isProtected, status.mode & 0o002 != 0 || (status.mode & 0o020 != 0 && status.gid != 0) {
        return "\(place) can be written by others"
      }
      guard place.lastComponent != nil else { return nil }
      place = place.removingLastComponent()
    }
  }
}
