// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// Finds and reads the configuration files (configuration-and-idmaps 1, changes-1.64 13.1).
struct ConfigurationFiles {
  /// Variables of the process.
  let environment: [String: String]
  /// The user as whom drop-in directories are chosen: the rootless UID.
  let uid: UInt32
  /// The directory put in front of the vendor's and the administrator's files; empty for none.
  let alternateRoot: String
  /// Whether files that are found through `HOME` or `XDG_CONFIG_HOME` count only if they are root's: these variables may be those
  /// of the user who became root, and a configuration says what programs are run.
  let isHostRoot: Bool

  /// All files applied in their order.
  func load() throws(StorageError) -> StorageConfiguration {
    var configuration = StorageConfiguration()
    if let only = environment["CONTAINERS_STORAGE_CONF"], !only.isEmpty {
      try apply(only, required: true, to: &configuration)
    } else {
      let user = try userRoot()
      for directory in [user, admin, vendor] {
        let path = directory + "/storage.conf"
        if directory == user, isOthers(path) { continue }
        if try apply(path, required: false, to: &configuration) { break }
      }
      for path in try dropIns(user: user) { try apply(path, required: false, to: &configuration) }
    }
    if let last = environment["CONTAINERS_STORAGE_CONF_OVERRIDE"], !last.isEmpty {
      try apply(last, required: true, to: &configuration)
    }
    return configuration
  }

  private var vendor: String { alternateRoot + "/usr/share/containers" }
  private var admin: String { alternateRoot + "/etc/containers" }

  /// Whether a value stands in a file of the system that was made for all its users, not in the user's own, nor in one for certain
  /// users.
  func isForEverybody(_ origin: SettingOrigin) -> Bool {
    guard case .file(let path, _, _) = origin else { return false }
    return [vendor, admin].contains { path == $0 + "/storage.conf" || path.hasPrefix($0 + "/storage.conf.d/") }
  }

  private func userRoot() throws(StorageError) -> String {
    // An empty variable counts as none, as its specification demands: files of the working directory are no configuration.
    if let base = environment["XDG_CONFIG_HOME"], !base.isEmpty { return Path.clean(base + "/containers") }
    return try Path.clean(UserDirectories.home(environment, uid: uid) + "/.config/containers")
  }

  /// Drop-in files in order of their names; of equal names the one in the strongest directory.
  private func dropIns(user: String) throws(StorageError) -> [String] {
    var directories: [String] = []
    for root in [vendor, admin] {
      directories.append(root + "/storage.conf.d")
      directories.append(root + (uid == 0 ? "/storage.rootful.conf.d" : "/storage.rootless.conf.d"))
      if uid != 0 { directories.append(root + "/storage.rootless.conf.d/\(uid)") }
    }
    directories.append(user + "/storage.conf.d")
    var files: [ByteText: String] = [:]
    for directory in directories {
      for name in try entries(of: directory) {
        let path = directory + "/" + name
        if directory.hasPrefix(user + "/"), isOthers(path) { continue }
        files[ByteText(name)] = path
      }
    }
    return files.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Whether a file that is there must not be obeyed because somebody else decides what is in it; a warning says so.
  private func isOthers(_ path: String) -> Bool {
    guard isHostRoot, let reason = Trust.objection(to: path) else { return false }
    Log.warning(
      "not obeying \(path): \(reason), and this process is root; "
        + "set CONTAINERS_STORAGE_CONF to a file that is to be obeyed all the same")
    return true
  }

  /// Names that end in `.conf` and are no directories. Links count whatever they point to: a dangling one still masks
  /// weaker files.
  private func entries(of directory: String) throws(StorageError) -> [String] {
    let path = FilePath(directory)
    let names: [[UInt8]]
    do throws(Errno) {
      names = try Syscall.directoryNames(path)
    } catch {
      if error == .noSuchFileOrDirectory { return [] }
      throw .failed("open", path, error)
    }
    return names.map { String(decoding: $0, as: UTF8.self) }.filter { name in
      guard name.utf8.suffix(5).elementsEqual(".conf".utf8) else { return false }
      // If it cannot be examined, reading it says why.
      guard let status = try? Syscall.lstat(FilePath(directory + "/" + name)) else { return true }
      return status.kind != .directory
    }
  }

  /// Decodes one file. Returns whether it exists.
  @discardableResult
  private func apply(
    _ path: String, required: Bool, to configuration: inout StorageConfiguration
  ) throws(StorageError) -> Bool {
    let file = FilePath(path)
    let descriptor: OwnedDescriptor
    do throws(Errno) {
      descriptor = try Syscall.open(file, [])
    } catch {
      if error == .noSuchFileOrDirectory, !required { return false }
      throw StorageError(
        .configuration, "open \(path): \(error.referenceText)", path: path, cause: error)
    }
    let prefix = "decode configuration \(goQuoted(path))"
    let bytes: [UInt8]
    do throws(Errno) {
      bytes = try Syscall.readAll(descriptor.rawValue)
    } catch {
      throw StorageError(
        .configuration, "\(prefix): read \(path): \(error.referenceText)", path: path, cause: error)
    }
    do throws(ConfigurationProblem) {
      try configuration.merge(try readTOML(bytes), file: path)
    } catch {
      throw StorageError(.configuration, "\(prefix): \(error.text)", path: path)
    }
    return true
  }
}
