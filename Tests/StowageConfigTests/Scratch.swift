// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageConfig
import StowageModel
import Testing

/// A directory that stands for the root of the file system, removed at the end.
final class Scratch {
  let path: String

  init() throws {
    path = "/tmp/stowage-config-\(LayerID.random().rawValue.prefix(16))"
    try #require(mkdir(path, 0o755) == 0)
  }

  deinit { Scratch.remove(path) }

  private static func remove(_ path: String) {
    if let directory = opendir(path) {
      while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name == "." || name == ".." { continue }
        if unlink(path + "/" + name) != 0 { remove(path + "/" + name) }
      }
      closedir(directory)
    }
    rmdir(path)
  }

  func makeDirectory(_ name: String) {
    var made = path
    for part in name.split(separator: "/") {
      made += "/" + part
      mkdir(made, 0o755)
    }
  }

  func write(_ name: String, _ text: String) throws {
    makeDirectory(name.split(separator: "/").dropLast().joined(separator: "/"))
    let file = try #require(fopen(path + "/" + name, "w"))
    fputs(text, file)
    fclose(file)
  }

  func link(_ name: String, to target: String) {
    makeDirectory(name.split(separator: "/").dropLast().joined(separator: "/"))
    symlink(target, path + "/" + name)
  }

  /// Loads with this directory as the root and `$HOME` in it.
  func load(
    _ variables: [String: String] = [:], uid: UInt32 = 0, rootless: Bool = false
  ) throws(StorageError) -> StoreOptions {
    try loadSettings(variables, uid: uid, rootless: rootless).options
  }

  /// The same with the origins.
  func loadSettings(
    _ variables: [String: String] = [:], uid: UInt32 = 0, rootless: Bool = false
  ) throws(StorageError) -> StoreSettings {
    try loadStoreSettings(
      environment: ["HOME": path + "/home"].merging(variables) { $1 },
      user: Rootlessness(uid: uid, effectiveUID: uid, isRootless: rootless), alternateRoot: path)
  }

  /// Loads one file given by the environment.
  func load(file text: String, _ variables: [String: String] = [:]) throws -> StoreOptions {
    try write("c.conf", text)
    return try load(["CONTAINERS_STORAGE_CONF": path + "/c.conf"].merging(variables) { $1 })
  }

  func json(_ options: StoreOptions) -> String { String(decoding: options.json(), as: UTF8.self) }
}
