// SPDX-License-Identifier: Apache-2.0

package import StowageModel

extension StorageError {
  /// The failure in the words of the reference, which changes owners in a process of its own and shows how that ended.
  package var duringOwnerChange: StorageError {
    StorageError(
      code, "error during chown: \(message): exit status 1", plain: "changing owners: \(plainMessage)",
      subject: subject,
      path: path, cause: cause)
  }
}
