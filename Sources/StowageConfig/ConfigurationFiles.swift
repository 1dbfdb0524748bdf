// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import StowageSystem
internal import SystemPackage

/// Finds and reads the files of one configuration: a main file, drop-ins, and those that variables name (configuration-and-idmaps 1,
/// changes-1.64 13.1, registries 2.1).
package struct ConfigurationFiles {
  /// Whose files.
  package enum Kind: String, Sendable {
    /// `storage.conf`
    case storage
    /// `registries.conf`
    case registries

    /// The variable that names the only file; with `_OVERRIDE` behind it, the last one.
    var variable: String { "CONTAINERS_\(rawValue.uppercased())_CONF" }
    var file: String { "\(rawValue).conf" }

    /// What stands before a problem in a file.
    func context(_ path: String) -> String {
      switch self {
      case .storage: "decode configuration \(goQuoted(path))"
      case .registries: "loading registries configuration \(goQuoted(path))"
      }
    }
  }

  let kind: Kind
  /// Variables of the process.
  let environment: [String: String]
  /// The user as whom drop-in directories are chosen: the rootless UID.
  let uid: UInt32
  /// The directory put in front of the vendor's and the administrator's files; empty for none.
  let alternateRoot: String
  /// Whether files that are found through `HOME` or `XDG_CONFIG_HOME` count only if they are root's: these variables may be those
  /// of the user who became root, and a configuration says what programs are run.
  let isHostRoot: Bool

  package init(_ kind: Kind, environment: [String: String], user: Rootlessness, alternateRoot: String = "") {
    self.kind = kind
    self.environment = environment
    self.alternateRoot = alternateRoot
    uid = user.uid
    isHostRoot = user.isHostRoot
  }

  /// Reads all files in their order.
  ///
  /// - Throws: `configuration`, with the file and the place in it.
  package func read(_ take: Consumer) throws(StorageError) {
    for file in try found() { try read(file.path, isNamed: file.isNamed, take) }
  }

  /// What takes a file in.
  package typealias Consumer = (_ path: String, ConfigurationTable) throws(ConfigurationProblem) -> Void

  /// The paths of the files that are there, in their order.
  package func paths() throws(StorageError) -> [String] {
    try found().map(\.path).filter { !ConfigurationFiles.isMissing($0) }
  }

  /// The files in their order.
  ///
  /// - Returns: with each whether a variable names it, so that it must be there.
  private func found() throws(StorageError) -> [(path: String, isNamed: Bool)] {
    var files: [(path: String, isNamed: Bool)] = []
    if let only = environment[kind.variable], !only.isEmpty {
      files.append((only, true))
    } else {
      let user = try userRoot()
      let main = [user, admin, vendor].map { $0 + "/" + kind.file }.first { path in
        !ConfigurationFiles.isMissing(path) && !(path.hasPrefix(user + "/") && isOthers(path))
      }
      files += ((main.map { [$0] } ?? []) + (try dropIns(user: user))).map { ($0, false) }
    }
    if let last = environment[kind.variable + "_OVERRIDE"], !last.isEmpty { files.append((last, true)) }
    return files
  }

  private var vendor: String { alternateRoot + "/usr/share/containers" }
  private var admin: String { alternateRoot + "/etc/containers" }

  /// Whether a value stands in a file of the system that was made for all its users, not in the user's own, nor in one for certain
  /// users.
  func isForEverybody(_ origin: SettingOrigin) -> Bool {
    guard case .file(let path, _, _) = origin else { return false }
    return [vendor, admin].contains { path == $0 + "/" + kind.file || path.hasPrefix("\($0)/\(kind.file).d/") }
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
      let start = root + "/" + kind.rawValue
      directories.append(start + ".conf.d")
      directories.append(start + (uid == 0 ? ".rootful.conf.d" : ".rootless.conf.d"))
      if uid != 0 { directories.append(start + ".rootless.conf.d/\(uid)") }
    }
    directories.append("\(user)/\(kind.file).d")
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
  package func isOthers(_ path: String) -> Bool {
    guard isHostRoot, let reason = Trust.objection(to: path) else { return false }
    Log.warning(
      "not obeying \(path): \(reason), and this process is root; "
        + "set \(kind.variable) to a file that is to be obeyed all the same")
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

  /// Whether nothing is at a path, links followed.
  package static func isMissing(_ path: String) -> Bool {
    do throws(Errno) {
      _ = try Syscall.stat(FilePath(path))
      return false
    } catch {
      // Any other failure comes again when it is read, and is told then.
      return error == .noSuchFileOrDirectory
    }
  }
}
