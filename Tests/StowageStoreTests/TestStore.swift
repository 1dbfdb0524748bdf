// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageConfig
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

/// A store in a temporary directory. Mounts are ended when it is forgotten.
final class TestStore {
  let place: TemporaryDirectory
  let driver: String
  var graph: FilePath { place.appending("g") }
  var run: FilePath { place.appending("r") }

  init(_ driver: String = "vfs", options: [String] = []) throws {
    place = try TemporaryDirectory("store", for: driver)
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

  /// Makes the overlay driver of this store unable to shift owners: it finds the answer of an earlier probe.
  func forbidShifting() throws {
    if driver != "overlay" { return }
    let answers = run.appending("overlay")
    for path in [run, answers] where !path.exists { try Syscall.mkdir(path, mode: 0o700) }
    try answers.appending("idmapped-lower-dir-false").write("")
  }

  /// The directory with a layer's own content.
  func content(of layer: String) -> FilePath {
    driver == "overlay" ? graph.appending("overlay/\(layer)/diff") : graph.appending("vfs/dir/\(layer)")
  }

  /// What operations have left in staging directories.
  func staged() throws -> [String] {
    try [graph.appending("\(driver)/tempdirs"), graph.appending("\(driver)-layers/tmp")].flatMap { path in
      try path.exists ? path.names() : []
    }
  }

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
let testDrivers = availableDrivers.filter { isRoot && $0 != "btrfs" || $0 == "vfs" }

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

#if STOWAGE_HOOKS
  /// Lets something happen once, before the first step on a file of that name.
  func atStep(_ name: String, _ disturb: @escaping @Sendable () throws -> Void, during body: () throws -> Void) throws {
    let isDone = Atomic(false)
    try withoutActuallyEscaping(disturb) { disturb in
      try SystemHook.$observer.withValue({ step in
        guard step.path == name, !isDone.exchange(true, ordering: .relaxed) else { return nil }
        SystemHook.$observer.withValue(nil) {
          do { try disturb() } catch { Issue.record(error) }
        }
        return nil
      }) { try body() }
    }
    let wasDone = isDone.load(ordering: .relaxed)
    #expect(wasDone, "no step on \(name)")
  }
#endif
