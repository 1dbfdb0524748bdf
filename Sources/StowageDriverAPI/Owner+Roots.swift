// SPDX-License-Identifier: Apache-2.0

import Glibc
package import StowageModel

extension Owner {
  /// The effective user and group of this process.
  package static var current: Owner { Owner(uid: geteuid(), gid: getegid()) }

  /// The host owner of container ID 0.
  ///
  /// - Throws: `invalidMappings`: `container ID 0 cannot be mapped to a host ID`.
  package init(rootOf maps: IDMaps) throws(StorageError) {
    do throws(IDMapError) {
      let root = try maps.rootHostIDs()
      guard let uid = UInt32(exactly: root.uid), let gid = UInt32(exactly: root.gid) else { throw .container(0) }
      self.init(uid: uid, gid: gid)
    } catch {
      throw StorageError(.invalidMappings, error.description, cause: error)
    }
  }
}

extension StorageError {
  /// The failure in the words of the reference, which changes owners in a process of its own and shows how that ended.
  package var duringOwnerChange: StorageError {
    StorageError(code, "error during chown: \(message): exit status 1", subject: subject, path: path, cause: cause)
  }
}
