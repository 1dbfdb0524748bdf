// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import StowageSystem

/// Who runs this process, as far as the configuration is concerned (configuration-and-idmaps 15).
package struct Rootlessness: Sendable, Hashable {
  /// The user's ID outside a user namespace that a program of this family has set up; else the real user ID.
  package let uid: UInt32
  /// The group's ID likewise.
  package let gid: UInt32
  /// The effective user ID.
  package let effectiveUID: UInt32
  /// True without the full rights of root: another user, a namespace, or no `CAP_SYS_ADMIN`.
  package let isRootless: Bool
  /// Whether a program of this family has set up the user namespace that this process is in, as its root.
  package let isInsideNamespace: Bool
  /// Whether the process acts as root of the host, so that whoever tells it what to run has the host.
  package let isHostRoot: Bool

  /// For tests.
  package init(uid: UInt32, effectiveUID: UInt32, isRootless: Bool) {
    self.uid = uid
    gid = uid
    self.effectiveUID = effectiveUID
    self.isRootless = isRootless
    isInsideNamespace = effectiveUID == 0 && uid != 0
    isHostRoot = effectiveUID == 0 && !isRootless
  }

  /// Looks at this process. A `_CONTAINERS_ROOTLESS_UID` that is no number counts as 0.
  package init(environment: [String: String]) {
    func number(_ name: String) -> UInt32? { environment[name].flatMap { $0.isEmpty ? nil : UInt32($0) ?? 0 } }
    let outer = number("_CONTAINERS_ROOTLESS_UID")
    uid = outer ?? getuid()
    gid = number("_CONTAINERS_ROOTLESS_GID") ?? outer ?? getgid()
    effectiveUID = geteuid()
    let isConfigured = environment["_CONTAINERS_USERNS_CONFIGURED"].map { !$0.isEmpty } ?? false
    isRootless = (outer ?? geteuid()) != 0 || isConfigured || !hasCapability(21) || !hasInitialUserMap()
    isInsideNamespace = effectiveUID == 0 && (uid != 0 || isConfigured)
    isHostRoot = effectiveUID == 0 && hasInitialUserMap()
  }

  /// Whether the process lacks rights that it would have as root of a user namespace of its own.
  package var needsNamespace: Bool {
    isRootless && !isInsideNamespace && !(effectiveUID == 0 && hasCapability(21))
  }

  /// Whether stores are in the user's directories by default. Root in a container uses the system's.
  package var usesUserDirectories: Bool { isRootless && uid != 0 }
}

/// The variables of this process.
package func processEnvironment() -> [String: String] {
  var out: [String: String] = [:]
  var entry = environ
  while let text = entry.pointee {
    let line = String(cString: text)
    if let equals = line.utf8.firstIndex(of: 0x3D) {
      let name = String(line[..<equals])
      // Of a repeated variable the first counts, as for getenv(3).
      if out[name] == nil { out[name] = String(line[line.utf8.index(after: equals)...]) }
    }
    entry += 1
  }
  return out
}
