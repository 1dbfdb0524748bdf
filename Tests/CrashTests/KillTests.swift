// SPDX-License-Identifier: Apache-2.0

import StowageSystem
import StowageTestSupport
import Testing

/// SIGKILL before each mutating step of an operation: the next opener finds the old or the new state, and nothing else.
///
/// A sample of the steps, or with `STOWAGE_CRASH_SWEEP=full` all of them.
@Suite("Kills at every step", .tags(.root, .slow), .serialized, .enabled(if: isRoot, "overlay mounts need root"))
struct KillTests {
  private var isFullSweep: Bool { environmentValue("STOWAGE_CRASH_SWEEP") == "full" }

  @Test(.tags(.driver), arguments: CrashedOperation.all, availableDrivers)
  func `A killed operation leaves the old or the new state, and nothing else`(
    operation: CrashedOperation, driver: String
  ) throws {
    try sweep(operation, driver)
  }

  @Test(arguments: [CrashedOperation.putDirectory, .apply])
  func `A killed extraction on overlay leaves the old or the new state, and nothing else`(
    operation: CrashedOperation
  ) throws {
    try sweep(operation, "overlay")
  }

  private func sweep(_ operation: CrashedOperation, _ driver: String) throws {
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

    let stride = isFullSweep ? 1 : max(1, steps / 5)
    // The first and the last steps are where records change: sample them densely.
    let points = Set(Swift.stride(from: 1, through: steps, by: stride)).union([1, 2, steps - 2, steps - 1, steps])
    for step in points.sorted() where step >= 1 {
      try store.kill(operation.words, before: step)
      let found = try store.state()
      #expect(found == old || found == new, "killed before step \(step): \(found)")
      let left = try store.leftovers()
      #expect(left.isEmpty, "killed before step \(step) of \(operation.name) on \(driver): \(left)")
      if found == new { try operation.revert(store) }
      #expect(try store.state() == old, "killed before step \(step): cannot be undone")
    }
  }

  @Test(arguments: CrashedOperation.all + [.putDirectory, .apply])
  func `A failing step leaves the old or the new state, and nothing else`(operation: CrashedOperation) throws {
    let store = try CrashStore(driver: "overlay")
    defer { store.close() }
    try operation.prepare(store)
    let old = try store.state()
    let steps = try store.countSteps(operation.words)
    let new = try store.state()
    try operation.revert(store)
    let stride = isFullSweep ? 1 : max(1, steps / 4)
    for step in Swift.stride(from: 1, through: steps, by: stride) {
      let status = try store.fail(operation.words, at: step, with: "ENOSPC")
      let found = try store.state()
      #expect(found == old || found == new, "failed at step \(step): \(found)")
      // An operation that says it succeeded must have.
      if status.isSuccess { #expect(found == new, "failed at step \(step), status 0") }
      let left = try store.leftovers()
      #expect(left.isEmpty, "failed at step \(step) of \(operation.name): \(left)")
      if found == new { try operation.revert(store) }
    }
  }
}
