// SPDX-License-Identifier: Apache-2.0
internal import Glibc
package import SystemPackage

/// Programs by their names.
package enum Executable {
  /// The file that a name stands for: itself if it has a slash, else the first executable file in the absolute
  /// directories of `PATH`; nil if there is none.
  package static func find(_ name: String) -> FilePath? {
    if name.utf8.contains(UInt8(ascii: "/")) { return FilePath(name) }
    return (environmentValue("PATH") ?? "").split(separator: ":").lazy
      .filter { $0.hasPrefix("/") }
      .map { FilePath(String($0)).appending(name) }
      .first { path in
        // What cannot be examined cannot be run either.
        let isFile = (try? Syscall.stat(path))?.kind == .regular
        return isFile && path.withPlatformString { access($0, X_OK) } == 0
      }
  }

  /// What is said if ``find(_:)`` finds none: `exec: "<name>": executable file not found in $PATH`.
  package static func notFoundText(_ name: String) -> String {
    "exec: \"\(name)\": executable file not found in $PATH"
  }
}
