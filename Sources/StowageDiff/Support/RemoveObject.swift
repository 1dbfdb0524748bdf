// SPDX-License-Identifier: Apache-2.0

internal import StowageSystem
internal import SystemPackage

/// Removes a name in an open directory, with everything below it if it is a directory. Links are removed, not followed.
///
/// Unlike `removeTree` this is for the inside of a layer that is being written: by descriptor, without a look at mounts.
///
/// - Throws: the first error; what could be removed until then is gone.
func removeObject(_ parent: CInt, _ name: UnsafePointer<CChar>) throws(Errno) {
  do throws(Errno) {
    return try Syscall.unlinkat(parent, name)
  } catch {
    // POSIX allows either for directories.
    guard error == .isDirectory || error == .notPermitted else { throw error }
    if try !Syscall.fstatat(parent, name).isDirectory { throw error }
  }
  let top = try Syscall.openat(parent, name, [.readOnly, .directory, .noFollow])
  try emptyDirectory(top.rawValue, top: top.rawValue, depth: 0)
  try Syscall.unlinkat(parent, name, flags: .removeDirectory)
}

/// Directories kept open at once on the way down; deeper ones are first moved to the top.
private let maximumDepth = 64

private func emptyDirectory(_ directory: CInt, top: CInt, depth: Int) throws(Errno) {
  var reader = DirectoryReader(borrowing: directory)
  var moved = 0
  while true {
    var removed = 0
    while let entry = try reader.next() {
      removed += 1
      do throws(Errno) {
        try Syscall.unlinkat(directory, entry.name)
        continue
      } catch {
        guard error == .isDirectory || error == .notPermitted else { throw error }
        if try !Syscall.fstatat(directory, entry.name).isDirectory { throw error }
      }
      if depth >= maximumDepth {
        try moveUp(directory, entry.name, to: top, &moved)
      } else {
        let child = try Syscall.openat(directory, entry.name, [.readOnly, .directory, .noFollow])
        try emptyDirectory(child.rawValue, top: top, depth: depth + 1)
        try Syscall.unlinkat(directory, entry.name, flags: .removeDirectory)
      }
    }
    // Removal may make a listing skip entries, and deep directories arrive at the top: only an empty pass ends the work.
    if removed == 0 { return }
    try reader.rewind()
  }
}

/// Moves a directory to the top under a name that is free there.
private func moveUp(
  _ directory: CInt, _ name: UnsafePointer<CChar>, to top: CInt, _ counter: inout Int
) throws(Errno) {
  while true {
    counter += 1
    do throws(Errno) {
      return try withCString(copying: ".removed-\(counter)".utf8) { (target) throws(Errno) in
        try Syscall.renameat2(directory, name, top, target, flags: .noReplace)
      }
    } catch {
      guard error == .fileExists else { throw error }
    }
  }
}
