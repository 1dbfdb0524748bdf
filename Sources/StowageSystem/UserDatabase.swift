// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A user of this machine, as the name services know it.
package struct UserEntry: Sendable, Hashable {
  /// The name.
  package let name: String
  /// The home directory.
  package let home: String

  /// Looks a user up by number; nil if there is none. See `getpwuid_r(3)`.
  package init?(uid: UInt32) {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 1024)
    while true {
      let status = getpwuid_r(uid, &entry, &buffer, buffer.count, &found)
      if status == ERANGE, buffer.count < 1 << 20 {
        buffer = [CChar](repeating: 0, count: buffer.count * 2)
        continue
      }
      guard status == 0, found != nil, let name = entry.pw_name, let home = entry.pw_dir else { return nil }
      self.name = String(cString: name)
      self.home = String(cString: home)
      return
    }
  }
}
