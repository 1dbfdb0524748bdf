// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import StowageConfig
public import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The user namespace in which a program without the rights of root works on its stores (configuration-and-idmaps 16).
public enum UserNamespace {
  /// When to enter one.
  public enum Condition: Sendable {
    /// If the process lacks rights that it gains there: it is not root, or root without `CAP_SYS_ADMIN`.
    case whenNeeded
    /// Unless the process is in one already, also as real root.
    case always
  }

  /// What follows the program's own name in the name of the process inside.
  public static let nameSuffix = "-in-a-user-namespace"

  /// Starts this program anew, with the same arguments, as root of a new user namespace and in a new mount namespace,
  /// and waits for its end.
  ///
  /// To be called first in `main`, before anything starts a thread:
  ///
  /// ```swift
  /// if let status = try UserNamespace.enter() { exit(status) }
  /// ```
  ///
  /// Inside, user 0 is the caller, and the IDs from 1 on are its subordinate ones (`/etc/subuid`, `/etc/subgid`). If they
  /// cannot be had, warnings are logged and there is no ID but 0. Mounts made inside end with the last process inside.
  ///
  /// - Returns: nil if the process is to go on, because it is inside or needs no namespace; otherwise the status with
  ///   which it is to end at once: that of the new process, or 128 and the number of the signal that ended it.
  /// - Throws: `notSupported` if the kernel does not allow namespaces; `system` if the caller has no name or a map is
  ///   refused. The message may have several lines.
  public static func enter(_ condition: Condition = .whenNeeded) throws(StorageError) -> CInt? {
    let environment = processEnvironment()
    let user = Rootlessness(environment: environment)
    switch condition {
    case .whenNeeded: if !user.needsNamespace { return nil }
    case .always: if user.isInsideNamespace { return nil }
    }
    let maps = try OwnMaps.determine()
    let child = try start(variables(user, environment))
    do throws(StorageError) {
      try MapWriter(pid: child.pid).write(maps)
    } catch {
      child.abandon()
      throw error
    }
    let status: ExitStatus
    do throws(NamespaceChild.Failure) { status = try child.proceed() } catch { throw failure(error) }
    return switch status {
    case .exited(let status): CInt(status)
    case .signaled(let signal): 128 + CInt(signal)
    }
  }

  private static func start(_ variables: [String: String]) throws(StorageError) -> NamespaceChild {
    do throws(NamespaceChild.Failure) {
      return try NamespaceChild.start(addingToName: nameSuffix, variables: variables)
    } catch {
      throw failure(error)
    }
  }

  /// What the process inside has in its environment for itself and others.
  private static func variables(_ user: Rootlessness, _ environment: [String: String]) -> [String: String] {
    var out = ["_CONTAINERS_USERNS_CONFIGURED": "1"]
    if environment["BUILDAH_ISOLATION"] == nil { out["BUILDAH_ISOLATION"] = "rootless" }
    if user.isRootless {
      out["_CONTAINERS_USERNS_CONFIGURED"] = "done"
      out["_CONTAINERS_ROOTLESS_UID"] = String(user.uid)
      out["_CONTAINERS_ROOTLESS_GID"] = String(user.gid)
    }
    return out
  }

  private static func failure(_ failure: NamespaceChild.Failure) -> StorageError {
    let reason = String(cString: strerror(failure.error.rawValue))
    var lines: [String]
    switch failure.step {
    case .start: lines = ["Error starting a process: \(reason)"]
    case .userNamespace: lines = ["Error during unshare(CLONE_NEWUSER): \(reason)"] + obstacles()
    case .identity: lines = ["Error during setresuid(0): \(reason)"]
    case .mountNamespace: lines = ["Error during unshare(CLONE_NEWNS): \(reason)"] + obstacles()
    case .execute: lines = ["Error during execve: \(reason)"]
    }
    let isRefused = failure.step == .userNamespace || failure.step == .mountNamespace
    return StorageError(isRefused ? .notSupported : .system, lines.joined(separator: "\n"), cause: failure.error)
  }

  /// Settings of the kernel that forbid user namespaces, a sentence each.
  private static func obstacles() -> [String] {
    func holds(_ path: FilePath, _ value: String) -> Bool {
      (try? Syscall.readFile(path)).map { String(decoding: $0, as: UTF8.self) == value + "\n" } ?? false
    }
    var out: [String] = []
    for path in ["/proc/sys/user/max_user_namespaces", "/proc/sys/kernel/unprivileged_userns_clone"]
    where holds(FilePath(path), "0") {
      out.append("User namespaces are not enabled in \(path).")
    }
    let apparmor = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
    if holds(FilePath(apparmor), "1") { out.append("AppArmor restricts user namespaces, see \(apparmor).") }
    return out
  }
}
