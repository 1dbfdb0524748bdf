// SPDX-License-Identifier: Apache-2.0

package import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

/// Owner and mode that a file would have without a forced mask, kept in an extended attribute (graph-drivers 3.4).
package struct OverrideStat: Hashable, Sendable {
  /// The attribute's name.
  package static let attributeName = "user.containers.override_stat"

  /// The real owner.
  package let owner: Owner
  /// The real permissions with all 12 bits.
  package let mode: UInt16

  /// States a directory's real owner and mode.
  package init(owner: Owner, mode: UInt16) {
    self.owner = owner
    self.mode = mode
  }

  /// Reads the attribute of a file; `nil` if there is none that makes sense.
  package init?(of path: FilePath) throws(StorageError) {
    let bytes: [UInt8]?
    do throws(Errno) { bytes = try ExtendedAttributes.value(path, OverrideStat.attributeName) } catch {
      throw StorageError.failed("lgetxattr", path, error)
    }
    guard let bytes else { return nil }
    let fields = String(decoding: bytes, as: UTF8.self).split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count >= 3, let uid = UInt32(fields[0]), let gid = UInt32(fields[1]),
      let mode = UInt16(fields[2], radix: 8)
    else { return nil }
    self.init(owner: Owner(uid: uid, gid: gid), mode: mode & 0o7777)
  }

  /// The attribute's value for a directory.
  package var text: String {
    let octal = String(mode, radix: 8)
    let padded = String(repeating: "0", count: max(0, 4 - octal.utf8.count)) + octal
    return "\(owner.uid):\(owner.gid):\(padded):dir"
  }
}
