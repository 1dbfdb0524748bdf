// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageConfig
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage

/// A store in a temporary directory. Mounts are ended when it is forgotten.
final class TestStore {
  let place: TemporaryDirectory
  let driver: String
  var graph: FilePath { place.appending("g") }
  var run: FilePath { place.appending("r") }

  init(_ driver: String = "vfs", options: [String] = []) throws {
    place = try TemporaryDirectory("store")
    self.driver = driver
    driverOptions = options
  }

  let driverOptions: [String]

  deinit {
    for path in MountTable.mounts(below: place.path).reversed() { try? Syscall.umount(path, flags: .detach) }
  }

  /// Opens the store as another process would.
  func open(_ change: (inout StoreOptions) -> Void = { _ in }) throws -> Store {
    var options = StoreOptions(
      graphRoot: graph.string, runRoot: run.string, driverName: driver, driverOptions: driverOptions)
    change(&options)
    return try Store.open(options)
  }

  /// A record file.
  func json(_ name: String) throws -> String { try graph.appending("\(driver)-\(name)").readText() }

  /// A tar of the given files, made by GNU tar.
  func tar(_ files: [String: String], compress: String = "") throws -> FilePath {
    let number = UInt32.random(in: 0...UInt32.max)
    let tree = place.appending("tree\(number)")
    try Syscall.mkdir(tree, mode: 0o755)
    for (name, text) in files { try tree.appending(name).write(text) }
    let out = place.appending("layer\(number).tar")
    let result = try shell("tar -C \(tree) --numeric-owner -c\(compress)f \(out) .")
    if !result.isSuccess { throw StorageError(.system, result.description) }
    return out
  }
}

/// The drivers to test: overlay mounts, so it needs root.
let testDrivers = isRoot ? ["overlay", "vfs"] : ["vfs"]

/// The code of the error that `body` throws.
func code(_ body: () throws -> Void) -> StorageError.Code? {
  do { try body() } catch { return (error as? StorageError)?.code }
  return nil
}

/// The text of the error that `body` throws.
func message(_ body: () throws -> Void) -> String? {
  do { try body() } catch { return "\(error)" }
  return nil
}
