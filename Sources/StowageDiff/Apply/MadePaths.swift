// SPDX-License-Identifier: Apache-2.0

/// The clean paths an archive has put into a tree that had content before, with the directories above them.
struct MadePaths {
  /// With the step after which each was put there.
  private var paths: [ArraySlice<UInt8>: Int] = [:]
  private var removed = RemovedPaths()

  /// Adds a path and the directories above it: who brings `a/b` means `a` to be there.
  mutating func insert(_ path: ArraySlice<UInt8>) {
    var path = path
    while !path.isEmpty, !contains(path) {
      paths[path] = removed.step
      path = path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex)]
    }
  }

  /// True if the archive has put something there.
  func contains(_ path: ArraySlice<UInt8>) -> Bool {
    paths[path].map { !removed.haveRemoved(path, since: $0, includingItself: false) } ?? false
  }

  /// Forgets what was below a directory that was removed.
  mutating func remove(below path: ArraySlice<UInt8>) { removed.remove(path) }
}
