// SPDX-License-Identifier: Apache-2.0

import StowageConfig
import StowageModel
import StowageRegistry
import StowageSystem
import StowageTestSupport
import SystemPackage

/// A directory that stands for the root of the file system, with the home of the user in it.
final class Scratch {
  let directory: TemporaryDirectory
  var path: String { directory.path.string }

  static let vendor = "usr/share/containers/"
  static let admin = "etc/containers/"
  static let user = "home/.config/containers/"

  init() throws { directory = try TemporaryDirectory("registries") }

  /// Writes a file below the directory and gives its path.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> FilePath {
    let file = try makeParent(of: name)
    try file.write(text)
    return file
  }

  func makeParent(of name: String) throws -> FilePath {
    var parent = directory.path
    for part in name.split(separator: "/").dropLast() {
      parent.append(String(part))
      if !parent.exists { try Syscall.mkdir(parent, mode: 0o755) }
    }
    return directory.appending(name)
  }

  private func files(_ variables: [String: String], uid: UInt32) -> RegistriesFiles {
    RegistriesFiles(
      environment: ["HOME": path + "/home"].merging(variables) { $1 },
      user: Rootlessness(uid: uid, effectiveUID: uid, isRootless: uid != 0), alternateRoot: path)
  }

  func load(_ variables: [String: String] = [:], uid: UInt32 = 0) throws(StorageError) -> RegistriesConfiguration {
    try files(variables, uid: uid).load()
  }

  /// The files found, relative to the directory.
  func paths(_ variables: [String: String] = [:], uid: UInt32 = 0) throws -> [String] {
    try files(variables, uid: uid).paths().map { String($0.dropFirst(path.utf8.count + 1)) }
  }

  /// Loads one file given by the environment.
  func load(file text: String) throws -> RegistriesConfiguration {
    try load(["CONTAINERS_REGISTRIES_CONF": try write("r.conf", text).string])
  }
}

extension RegistriesConfiguration {
  /// Aliases without their origins.
  var targets: [String: String] { aliases.mapValues(\.value) }
  var registries: [String] { searchRegistries.map(\.value) }
}
