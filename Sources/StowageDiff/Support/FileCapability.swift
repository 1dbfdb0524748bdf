// SPDX-License-Identifier: Apache-2.0

internal import StowageModel

/// The value of `security.capability`. Revision 3 names the user who is root where it counts, as seen by who reads it; revision
/// 2 counts where 0 is root (changes-1.65 2).
enum FileCapability {
  /// The attribute.
  static let name = Array("security.capability".utf8)

  private static let sizes = [UInt8(2): 20, 3: 24]

  /// The value as it is seen inside; `nil` if it means nobody there. What is no such value stays as it is.
  static func inside(_ value: [UInt8], _ maps: IDMaps) -> [UInt8]? {
    guard !maps.uids.isEmpty, let root = root(of: value), value[3] == 3 else { return value }
    guard let inner = maps.containerUID(of: Int(root)), let inner = UInt32(exactly: inner) else { return nil }
    return value.withRoot(inner)
  }

  /// The value as it is to be stored where owners have these maps on disk; `nil` if it means nobody on the host.
  static func stored(_ value: [UInt8], _ maps: IDMaps) -> [UInt8]? {
    guard !maps.uids.isEmpty, let root = root(of: value) else { return value }
    guard let outer = maps.hostUID(of: Int(root)), let outer = UInt32(exactly: outer), outer != .max else { return nil }
    return value.withRoot(outer)
  }

  /// Who is root, of a value that has the right size.
  private static func root(of value: [UInt8]) -> UInt32? {
    guard value.count >= 20, sizes[value[3]] == value.count else { return nil }
    return value[3] == 2 ? 0 : value[20...].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }
}

extension [UInt8] {
  /// Revision 2 if 0 is root.
  fileprivate func withRoot(_ root: UInt32) -> [UInt8] {
    var value = Array(self[..<20])
    value[3] = root == 0 ? 2 : 3
    if root != 0 { value += (0..<4).map { UInt8(truncatingIfNeeded: root >> ($0 * 8)) } }
    return value
  }
}
