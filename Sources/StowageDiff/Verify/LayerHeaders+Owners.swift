// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

extension LayerHeaders {
  /// The owners of all entries but whiteouts, ascending, each once; those that do not fit are left out.
  package var owners: (uids: [UInt32], gids: [UInt32]) {
    var (uids, gids): (Set<UInt32>, Set<UInt32>) = ([], [])
    for entry in entries where !entry.namesWhiteout {
      if let uid = UInt32(exactly: entry.uid) { uids.insert(uid) }
      if let gid = UInt32(exactly: entry.gid) { gids.insert(gid) }
    }
    return (uids.sorted(), gids.sorted())
  }

  /// Whether what the entries name has the owners that they say.
  ///
  /// - Parameter roots: where files are looked for, nearest first; what is in none of them has no owner.
  /// - Throws: `system`.
  package func haveTheirOwners(in roots: [FilePath]) throws(StorageError) -> Bool {
    for path in roots {
      let root = try LayerRoot(path)
      // Of a name that is there twice the last entry counts, and a hard link has the owner of its target.
      var last: [[UInt8]: TarHeader] = [:]
      for entry in entries where !entry.namesWhiteout && entry.kind != .hardLink { last[entry.name] = entry }
      for (name, entry) in last {
        guard let file = try open(name, in: root) else { continue }
        let status = try attempt("stat", path) { () throws(Errno) in try Syscall.fstat(file.rawValue) }
        if Int64(status.uid) != entry.uid || Int64(status.gid) != entry.gid { return false }
      }
    }
    return true
  }

  private func open(_ name: [UInt8], in root: borrowing LayerRoot) throws(StorageError) -> OwnedDescriptor? {
    do throws(Errno) { return try root.open(name, [.path, .noFollow]) } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw .failed("open", FilePath(String(decoding: name, as: UTF8.self)), error)
    }
  }
}
