// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageSystem
package import SystemPackage

/// Temporary files of atomic writes that a dead process left beside record files (on-disk-format 20.30).
///
/// They exist only while a writer holds the exclusive lock; so whoever holds the lock, even shared, knows them for
/// stale.
package enum StaleFiles {
  /// The temporary files in the directories. Needs the lock of the files there. A directory that cannot be read has none
  /// that matter: nothing can be written there either.
  package static func find(in directories: [FilePath]) -> [FilePath] {
    var found: [FilePath] = []
    for directory in Set(directories) {
      guard let names = try? Syscall.directoryNames(directory) else { continue }
      for name in names where name.starts(with: ".tmp-".utf8) {
        found.append(directory.appending(FilePath(name).components))
      }
    }
    return found
  }

  /// Removes them. Needs the exclusive lock; a failure is logged.
  package static func remove(in directories: [FilePath]) {
    for path in find(in: directories) {
      do throws(Errno) { try Syscall.unlink(path) } catch {
        Log.warning("cannot remove the stale temporary file \(path): \(error)")
      }
    }
  }
}
