// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// Gives a process in a new user namespace its ID maps (configuration-and-idmaps 16.3 step 5, 16.4).
struct MapWriter {
  /// The process.
  let pid: Int32

  /// Writes both maps, groups first.
  ///
  /// Root writes them itself. Others have helper programs do it; if one fails or is missing, there is a warning and only
  /// the caller's own ID, as 0. Maps of nothing else need no helper.
  ///
  /// - Throws: `system` if the kernel refuses a map.
  func write(_ maps: IDMaps) throws(StorageError) {
    if geteuid() == 0 || (maps.uids.count == 1 && maps.gids.count == 1) {
      try write(geteuid() == 0 ? "allow" : "deny", to: "setgroups")
      try write(maps.gids, to: "gid_map")
      try write(maps.uids, to: "uid_map")
      return
    }
    try write("allow", to: "setgroups")
    if !run("newgidmap", maps.gids, saying: "running newgidmap", setID: "setgid") {
      // Without the helper's rights the kernel wants supplementary groups to be fixed.
      try write("deny", to: "setgroups")
      try write(Array(maps.gids.prefix(1)), to: "gid_map")
    }
    if !run("newuidmap", maps.uids, saying: "Error running newuidmap", setID: "setuid") {
      try write(Array(maps.uids.prefix(1)), to: "uid_map")
    }
  }

  /// Runs a helper; false after it failed and that was told.
  private func run(
    _ helper: String, _ map: [IDMapping], saying phrase: String, setID: String
  ) -> Bool {
    guard let program = Executable.find(helper) else {
      // The reference ends here, though it goes on after a helper that fails.
      Log.warning("finding \(helper): \(Executable.notFoundText(helper))")
      Log.warning("Falling back to single mapping")
      return false
    }
    let numbers = map.flatMap { [$0.containerID, $0.hostID, $0.size] }
    do throws(Errno) {
      let (status, error) = try Syscall.run(program.string, ([Int(pid)] + numbers).map(String.init))
      if status.isSuccess { return true }
      var output = String(decoding: error, as: UTF8.self)
      while output.last?.isNewline == true { output.removeLast() }
      Log.warning("\(phrase): \(status): \(output)")
    } catch {
      Log.warning("\(phrase): fork/exec \(program): \(error.referenceText)")
    }
    if !hasRights(program) { Log.warning("\(program) should be \(setID) or have filecaps \(setID)") }
    Log.warning("Falling back to single mapping")
    return false
  }

  /// Whether a program runs with more rights than its caller's: by a set-ID bit of either kind (Debian's has that of the
  /// user also where the reference looks for that of the group), or by capabilities of the file.
  private func hasRights(_ program: FilePath) -> Bool {
    if let status = try? Syscall.stat(program), status.mode & 0o6000 != 0 { return true }
    // For the text of a warning only: what cannot be read is taken for none.
    return ((try? Syscall.lgetxattr(program, "security.capability")) ?? nil) != nil
  }

  private func write(_ map: [IDMapping], to file: String) throws(StorageError) {
    try write(map.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined(), to: file)
  }

  private func write(_ text: String, to file: String) throws(StorageError) {
    let path = FilePath("/proc/\(pid)/\(file)")
    do throws(Errno) {
      try Syscall.writeSetting(path, text)
    } catch {
      throw StorageError(
        .system, "writing \(goQuoted(text)) to \(path): \(error.referenceText)", path: path.string, cause: error)
    }
  }
}
