// SPDX-License-Identifier: Apache-2.0

package import StowageSystem

extension MountFlags {
  /// Splits option words into flags and words for the file system, kept in order (graph-drivers 25.1).
  ///
  /// `defaults` and empty words are dropped: the kernel would refuse the former (graph-drivers 26.37).
  package static func split(_ words: [String]) -> (flags: MountFlags, data: [String]) {
    var flags: MountFlags = []
    var data: [String] = []
    for word in words {
      if let flag = setting[word] {
        flags.formUnion(flag)
      } else if let flag = clearing[word] {
        flags.subtract(flag)
      } else if !word.isEmpty, word != "defaults" {
        data.append(word)
      }
    }
    return (flags, data)
  }

  private static let setting: [String: MountFlags] = [
    "ro": .readOnly, "nosuid": .noSetID, "nodev": .noDevices, "noexec": .noExecute, "sync": .synchronous,
    "dirsync": .directorySync, "remount": .remount, "mand": .mandatoryLocks, "noatime": .noAccessTime,
    "nodiratime": .noDirectoryAccessTime, "bind": .bind, "rbind": [.bind, .recursive], "unbindable": .unbindable,
    "runbindable": [.unbindable, .recursive], "private": .private, "rprivate": [.private, .recursive],
    "shared": .shared, "rshared": [.shared, .recursive], "slave": .slave, "rslave": [.slave, .recursive],
    "relatime": .relativeAccessTime, "strictatime": .strictAccessTime,
  ]

  private static let clearing: [String: MountFlags] = [
    "rw": .readOnly, "suid": .noSetID, "dev": .noDevices, "exec": .noExecute, "async": .synchronous,
    "nomand": .mandatoryLocks, "atime": .noAccessTime, "diratime": .noDirectoryAccessTime,
    "norelatime": .relativeAccessTime, "nostrictatime": .strictAccessTime,
  ]
}
