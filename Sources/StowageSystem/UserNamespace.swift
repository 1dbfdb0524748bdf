// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import SystemPackage

/// Whether this process counts as running in a user namespace (archive-and-diff 4.8).
///
/// True if `_CONTAINERS_ROOTLESS_UID` is set and not zero, `_CONTAINERS_USERNS_CONFIGURED` is set, `CAP_SYS_ADMIN` is
/// missing, or the process' user namespace lacks the full initial map. Determined once per process.
package let isInUserNamespace: Bool = detectUserNamespace()

private func detectUserNamespace() -> Bool {
  if let uid = environmentValue("_CONTAINERS_ROOTLESS_UID"), !uid.isEmpty, uid != "0" { return true }
  if let configured = environmentValue("_CONTAINERS_USERNS_CONFIGURED"), !configured.isEmpty { return true }
  if !hasCapability(21) { return true }
  return !hasInitialUserMap()
}

/// Whether the calling thread has an effective capability, by its number. See `capabilities(7)`.
package func hasCapability(_ number: Int) -> Bool {
  var set: UInt64 = 0
  return stowage_effective_capabilities(&set) == 0 && set >> UInt64(number) & 1 == 1
}

/// Whether the user map of this process is the initial, complete one. Read once: a process never changes it.
package func hasInitialUserMap() -> Bool { isUserMapInitial }

private let isUserMapInitial: Bool = {
  guard let bytes = try? Syscall.readFile("/proc/self/uid_map") else { return true }
  let fields = bytes.split { $0 == 0x20 || $0 == 0x0a }.map { String(decoding: $0, as: UTF8.self) }
  return fields == ["0", "0", "4294967295"]
}()
