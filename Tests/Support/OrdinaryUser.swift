// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import StowageSystem
internal import Synchronization
package import SystemPackage

/// A user made for one test, with a home directory, subordinate IDs and a copy of the program under test in the home.
/// Needs root. Removed with everything when the value is released.
///
/// `PATH` is the system's, and nothing else of this process' environment is passed on.
package final class OrdinaryUser: Sendable {
  /// The first and the number of the subordinate IDs: users, then groups.
  package static let subordinateUIDs = (first: 500_000, count: 65536)
  package static let subordinateGIDs = (first: 600_000, count: 65536)

  /// Name in the user database.
  package let name: String
  /// Number of the user, and of the group of the same name.
  package let uid: UInt32
  private let directory: TemporaryDirectory
  /// Held while the user database is changed: its programs wait for each other, but not for long.
  private static let accounts = Mutex(())

  /// The home directory, owned by the user.
  package var home: FilePath { directory.path }
  /// The program under test, in the home directory.
  package var program: String { home.appending("containers-storage").string }
  /// Where `XDG_RUNTIME_DIR` points.
  package var runtimeDirectory: FilePath { home.appending("run") }

  /// - Parameters:
  ///   - uids: whether `/etc/subuid` has a range for the user.
  ///   - gids: whether `/etc/subgid` has one.
  package init(uids: Bool = true, gids: Bool = true) throws {
    // Podman has locks named by the number of the user in memory that all see: no two tests share one.
    // Podman puts sockets below the home, whose paths must not be long.
    name = "stow" + String(UInt32.random(in: 0 ... .max), radix: 16)
    directory = try TemporaryDirectory(named: name)
    uid = try OrdinaryUser.accounts.withLock { [name, directory] _ in
      // Ranges are not shared out by `useradd`: the tests expect certain ones.
      try OrdinaryUser.must(
        "useradd", "--no-create-home", "--home-dir", directory.path.string, "--shell", "/bin/sh", "--user-group",
        "--uid", "\(Int.random(in: 20_000..<60_000))", "--key", "SUB_UID_COUNT=0", "--key", "SUB_GID_COUNT=0", name)
      for (wanted, option, range) in [
        (uids, "--add-subuids", OrdinaryUser.subordinateUIDs), (gids, "--add-subgids", OrdinaryUser.subordinateGIDs),
      ] where wanted {
        try OrdinaryUser.must("usermod", option, "\(range.first)-\(range.first + range.count - 1)", name)
      }
      return UInt32(try OrdinaryUser.must("id", "-u", name).outputText.dropLast()) ?? 0
    }
    try OrdinaryUser.must("cp", try stowageExecutable().string, program)
    try OrdinaryUser.must("mkdir", "--mode=700", runtimeDirectory.string)
    try OrdinaryUser.must("chown", "--recursive", "\(name):", home.string)
  }

  deinit {
    // Rootless Podman leaves a process behind that keeps its namespace.
    if let pid = (try? runtimeDirectory.appending("libpod/tmp/pause.pid").readText()).flatMap({ Int32($0) }), pid > 1 {
      _ = kill(pid, SIGKILL)
    }
    _ = OrdinaryUser.accounts.withLock { _ in try? StowageTestSupport.run("userdel", "--force", name) }
  }

  /// Sees to it that the user's own configuration is read in place of the system's.
  package func configure(_ storage: String) throws {
    let folder = home.appending(".config/containers")
    try OrdinaryUser.must("mkdir", "--parents", folder.string)
    try folder.appending("storage.conf").write(storage)
    try OrdinaryUser.must("chown", "--recursive", "\(name):", home.appending(".config").string)
  }

  /// The words that run a program as the user, without leaving this process behind as its parent.
  package func words(_ command: [String], adding variables: [String: String] = [:]) -> [String] {
    let environment = [
      "HOME": home.string, "USER": name, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC",
      "XDG_RUNTIME_DIR": runtimeDirectory.string,
    ].merging(variables) { $1 }
    return ["setpriv", "--reuid", name, "--regid", name, "--init-groups", "env", "--ignore-environment"]
      + environment.map { "\($0.key)=\($0.value)" }.sorted() + command
  }

  /// Runs a program as the user.
  package func run(_ command: [String], adding variables: [String: String] = [:]) throws -> ProcessResult {
    try StowageTestSupport.run(words(command, adding: variables), directory: home)
  }

  /// Runs the program under test as the user.
  package func stowage(_ command: String..., adding variables: [String: String] = [:]) throws -> ProcessResult {
    try run([program] + command, adding: variables)
  }

  /// Runs a text in `/bin/sh` as the user, with the program under test in `$S`, until a command fails.
  package func shell(_ script: String, adding variables: [String: String] = [:]) throws -> ProcessResult {
    try run(["/bin/sh", "-ec", script], adding: variables.merging(["S": program]) { $1 })
  }

  @discardableResult
  private static func must(_ command: String...) throws -> ProcessResult {
    let result = try StowageTestSupport.run(command)
    guard result.isSuccess else { throw FixtureError(text: "\(command): \(result)") }
    return result
  }
}
