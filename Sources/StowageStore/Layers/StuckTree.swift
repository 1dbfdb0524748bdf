// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

// A directory that is immutable, or that a file system is mounted on, cannot be renamed, by root neither.
extension StorageError {
  /// Whether something cannot be moved away until a person does something about it.
  var isStuck: Bool {
    switch errno {
    case .notPermitted?, .permissionDenied?, .resourceBusy?: true
    default: false
    }
  }

  /// The same failure, with what can be done.
  func withWayOut(_ path: FilePath) -> StorageError {
    StorageError(
      code,
      "\(message): if \(path) or what is in it is immutable, run \"chattr -R -i\" on it, and if something is mounted there, "
        + "unmount that; the next command then deletes it", subject: subject, path: path.string, cause: cause)
  }
}
