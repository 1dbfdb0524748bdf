// SPDX-License-Identifier: Apache-2.0

import Glibc
package import StowageModel
package import SystemPackage

extension HostFiles {
  /// Makes sure a path of somebody else's store leads nowhere outside of it. What is not there leads nowhere.
  ///
  /// - Throws: `corrupt` if a symbolic link leads out.
  package static func requireBeneath(_ root: FilePath, _ path: FilePath) throws(StorageError) {
    guard let place = resolved(path), let top = resolved(root), !place.starts(with: top) else { return }
    throw StorageError(
      .corrupt, "\(path) leads to \(place), which is outside of the store at \(root): it is not followed",
      path: path.string)
  }

  private static func resolved(_ path: FilePath) -> FilePath? {
    guard let text = realpath(path.string, nil) else { return nil }
    defer { free(text) }
    return FilePath(platformString: text)
  }
}
