// SPDX-License-Identifier: Apache-2.0

/// The clean paths an archive has put into a tree that had content before, with the directories above them.
struct MadePaths {
  private var paths: Set<ArraySlice<UInt8>> = []

  /// Adds a path and the directories above it: who brings `a/b` means `a` to be there.
  mutating func insert(_ path: ArraySlice<UInt8>) {
    var path = path
    while !path.isEmpty, paths.insert(path).inserted {
      path = path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex)]
    }
  }

  /// True if the archive has put something there.
  func contains(_ path: ArraySlice<UInt8>) -> Bool { paths.contains(path) }

  /// Forgets what was below a directory that was removed.
  mutating func remove(below path: ArraySlice<UInt8>) {
    paths = paths.filter { candidate in
      !(candidate.starts(with: path) && candidate.count > path.count
        && candidate[candidate.startIndex + path.count] == UInt8(ascii: "/"))
    }
  }
}
