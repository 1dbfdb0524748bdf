// SPDX-License-Identifier: Apache-2.0

import StowageSystem
import StowageTestSupport
import Testing

/// SIGKILL before mutating steps of an operation: the next opener finds the old or the new state, and nothing else.
///
/// A sample of the steps (``Sweep``).
private func killSweep(_ operation: CrashedOperation, _ driver: String) throws {
  let store = try CrashStore(driver: driver)
  defer { store.close() }
  try operation.prepare(store)
  let old = try store.state()
  let steps = try store.countSteps(operation.words)
  let new = try store.state()
  #expect(steps > 3, "the fault hook saw only \(steps) steps")
  #expect(old != new)
  try operation.revert(store)
  #expect(try store.state() == old)

  for step in Sweep.steps(of: steps, sample: 2) {
    try store.kill(operation.words, before: step)
    let (found, left) = try store.look()
    #expect(found == old || found == new, "killed before step \(step): \(found)")
    #expect(left.isEmpty, "killed before step \(step) of \(operation.name) on \(driver): \(left)")
    if found == new { try operation.revert(store) }
    #expect(try store.state() == old, "killed before step \(step): cannot be undone")
  }
}

@Suite("Kills at every step on overlay", .tags(.root, .slow), .serialized, .enabled(if: isRoot, "mounts need root"))
struct OverlayKillTests {
  @Test(arguments: CrashedOperation.all + [.loadMany, .putDirectory, .apply])
  func `A killed operation on overlay leaves the old or the new state, and nothing else`(
    operation: CrashedOperation
  ) throws {
    try killSweep(operation, "overlay")
  }
}

@Suite("Kills at every step on vfs", .tags(.root, .slow), .serialized, .enabled(if: isRoot, "layers have owners"))
struct VFSKillTests {
  @Test(arguments: CrashedOperation.all)
  func `A killed operation on vfs leaves the old or the new state, and nothing else`(
    operation: CrashedOperation
  ) throws {
    try killSweep(operation, "vfs")
  }
}

@Suite(
  "Kills at every step on btrfs", .tags(.root, .slow), .serialized,
  .enabled(if: canMountBtrfs, "needs btrfs on a loop device"))
struct BtrfsKillTests {
  @Test(arguments: CrashedOperation.all)
  func `A killed operation on btrfs leaves the old or the new state, and nothing else`(
    operation: CrashedOperation
  ) throws {
    try killSweep(operation, "btrfs")
  }
}

@Suite("Failures at every step", .tags(.root, .slow), .serialized, .enabled(if: isRoot, "overlay mounts need root"))
struct FailedStepTests {
  @Test(arguments: CrashedOperation.all + [.loadMany, .putDirectory, .apply])
  func `A failing step leaves the old or the new state, and nothing else`(operation: CrashedOperation) throws {
    let store = try CrashStore(driver: "overlay")
    defer { store.close() }
    try operation.prepare(store)
    let old = try store.state()
    let steps = try store.countSteps(operation.words)
    let new = try store.state()
    try operation.revert(store)
    for step in Sweep.steps(of: steps, sample: 2) {
      let status = try store.fail(operation.words, at: step, with: "ENOSPC")
      let (found, left) = try store.look()
      #expect(found == old || found == new, "failed at step \(step): \(found)")
      // An operation that says it succeeded must have.
      if status.isSuccess { #expect(found == new, "failed at step \(step), status 0") }
      #expect(left.isEmpty, "failed at step \(step) of \(operation.name): \(left)")
      if found == new { try operation.revert(store) }
    }
  }
}
