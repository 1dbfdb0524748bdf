// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The user's home, data and run-time directories (configuration-and-idmaps 1, 4.2, 15.3).
package enum UserDirectories {
  /// `HOME`, else the home of the user in the user database.
  static func home(_ environment: [String: String], uid: UInt32) throws(StorageError) -> String {
    if let home = environment["HOME"], !home.isEmpty { return home }
    if let user = UserEntry(uid: uid) { return user.home }
    throw StorageError(.configuration, "unable to resolve HOME directory: user: unknown userid \(uid)")
  }

  /// Where what can be made again is: `XDG_CACHE_HOME`, else `.cache` in the home.
  package static func cacheHome(_ environment: [String: String], uid: UInt32) throws(StorageError) -> String {
    if let cache = environment["XDG_CACHE_HOME"], !cache.isEmpty { return cache }
    return try home(environment, uid: uid) + "/.cache"
  }

  /// Where per-user stores are by default.
  static func dataHome(_ environment: [String: String]) throws(StorageError) -> String {
    if let data = environment["XDG_DATA_HOME"], !data.isEmpty { return data }
    if let home = environment["HOME"], !home.isEmpty { return home + "/.local/share" }
    throw StorageError(.configuration, "could not get either XDG_DATA_HOME or HOME")
  }

  /// The directory for what does not survive a log-out. May create it.
  static func runtime(_ environment: [String: String], uid: UInt32, effectiveUID: UInt32) throws(StorageError) -> String
  {
    if let given = environment["XDG_RUNTIME_DIR"], !given.isEmpty {
      if let resolved = Path.resolvingLinks(given) { return resolved }
      throw StorageError(.configuration, "lstat \(given): no such file or directory", path: given)
    }
    let usual = "/run/user/\(uid)"
    if isPrivate(usual, effectiveUID) { return usual }
    let temporary = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    let fallback = Path.clean(temporary + "/storage-run-\(uid)")
    if isPrivate(fallback, effectiveUID) { return fallback }
    throw StorageError(
      .configuration, "path \(goQuoted(fallback)) exists and it is not writeable only by the current user",
      path: fallback)
  }

  private static func isPrivate(_ path: String, _ uid: UInt32) -> Bool {
    // It may exist; what counts is the state afterwards.
    try? Syscall.mkdir(FilePath(path), mode: 0o700)
    guard let status = try? Syscall.lstat(FilePath(path)) else { return false }
    return status.uid == uid && status.mode & 0o722 == 0o700
  }
}
