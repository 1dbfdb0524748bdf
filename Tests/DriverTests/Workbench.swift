// SPDX-License-Identifier: Apache-2.0

import Glibc
import PlainDriver
import StowageCompression
import StowageDiff
import StowageDriverAPI
import StowageDriverOverlay
import StowageDrivers
import StowageFiles
import StowageModel
import StowageMounts
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// A driver with directories of its own, on a file system that suits it; everything is unmounted and deleted at the end.
final class Workbench {
  let top: FilePath
  let graphRoot: FilePath
  let runRoot: FilePath
  let driver: any GraphDriver

  init(_ name: String, options: [String] = [], imageStore: Bool = false, at top: FilePath? = nil) throws {
    let label = UInt32.random(in: 0...UInt32.max)
    self.top = top ?? FilePath("/tmp/stowage-driver-\(getpid())-\(label)")
    graphRoot = self.top.appending("g")
    runRoot = self.top.appending("r")
    if !self.top.exists { try Syscall.mkdir(self.top, mode: 0o700) }
    if name == "btrfs", !MountTable.isMountPoint(self.top) { try mountBtrfs(at: self.top) }
    for path in [graphRoot, runRoot] where !path.exists { try Syscall.mkdir(path, mode: 0o700) }
    var context = DriverContext(graphRoot: graphRoot, runRoot: runRoot, options: options)
    if imageStore {
      let store = self.top.appending("i")
      if !store.exists { try Syscall.mkdir(store, mode: 0o700) }
      context.imageStore = store
    }
    // The example is no choice of users.
    if name == PlainDriver.name {
      driver = try PlainDriver.make(context)
    } else {
      driver = try StowageDrivers.makeDriver(name: name, context)
    }
  }

  /// The driver as that of overlay, for what only it can do.
  var overlay: OverlayDriver {
    get throws { try #require(driver as? OverlayDriver) }
  }

  /// Unmounts everything below the top directory and deletes it.
  static func tearDown(_ top: FilePath) {
    for path in MountTable.mounts(below: top) { try? Syscall.umount(path, flags: .detach) }
    do { try removeTree(top) } catch { Log.error("cannot remove \(top): \(error)") }
  }

  func location(_ id: String) throws -> LayerLocation {
    LayerLocation(id: try LayerID(validating: id), role: .graphRoot, root: graphRoot)
  }

  /// Makes a layer over a chain, nearest first.
  @discardableResult
  func create(_ id: String, over parents: [LayerLocation] = [], readWrite: Bool = false) throws -> LayerLocation {
    let layer = try location(id)
    try driver.create(layer, over: parents, LayerCreateOptions(isReadWrite: readWrite))
    return layer
  }

  /// Extracts an archive into a layer.
  func apply(_ archive: [UInt8], to layer: LayerLocation, over parents: [LayerLocation]) throws {
    let target = try driver.applyTarget(for: layer, over: parents, idMaps: IDMaps())
    _ = try applyLayer(from: BytesSource(archive), to: target.root, options: target.options)
  }

  /// Presents a layer for the time of `body`.
  func mounted(
    _ layer: LayerLocation, over parents: [LayerLocation], _ options: MountOptions = MountOptions(),
    _ body: (FilePath) throws -> Void
  ) throws {
    let plan = try driver.mountPlan(for: layer, over: parents, options)
    try MountExecutor.perform(plan)
    do {
      try body(plan.mountPoint)
      try MountExecutor.perform(driver.unmountPlan(for: layer))
    } catch {
      _ = try? MountExecutor.perform(driver.unmountPlan(for: layer))
      throw error
    }
  }

  /// Moves a layer away and deletes it.
  func remove(_ layer: LayerLocation) throws {
    var bins = DeferredRemoval()
    try driver.remove(layer, into: &bins)
    try bins.empty()
  }
}

/// Runs a test with a driver, and cleans up.
func withDriver(
  _ name: String, options: [String] = [], imageStore: Bool = false, _ body: (Workbench) throws -> Void
) throws {
  let top = FilePath("/tmp/stowage-driver-\(getpid())-\(UInt32.random(in: 0...UInt32.max))")
  defer { Workbench.tearDown(top) }
  try body(try Workbench(name, options: options, imageStore: imageStore, at: top))
}

/// An archive made by tar from what a shell script leaves in an empty directory.
func archive(_ script: String) throws -> [UInt8] {
  try withTemporaryDirectory("tar") { directory in
    let made = try shell(script, directory: directory)
    if !made.isSuccess { throw Failure(made.description) }
    let result = try run(
      [
        "tar", "--xattrs", "--xattrs-include=*", "--numeric-owner", "--sort=name", "--mtime=@1700000000",
        "-C", directory.string, "-cf", "-", ".",
      ])
    if !result.isSuccess { throw Failure(result.description) }
    return result.output
  }
}

/// All names below a directory, sorted, by find.
func listing(_ path: FilePath) throws -> [String] {
  try shell("find . -mindepth 1 -printf '%P\\n' | LC_ALL=C sort", directory: path).outputText
    .split(separator: "\n").map(String.init)
}

/// What went wrong outside the code under test.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ text: String) { description = text }
}

/// The message of an error.
func message(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch let error as StorageError {
    return error.message
  } catch {
    return "\(error)"
  }
}
