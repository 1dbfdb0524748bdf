// SPDX-License-Identifier: Apache-2.0

import StowageTestSupport
import Testing

/// SIGKILL, and failures, while images are made of containers and archives: such an image is there whole, or not at all.
@Suite(
  "Kills while an image is made", .tags(.root, .slow), .serialized, .enabled(if: isRoot, "overlay mounts need root"))
struct CommitKillTests {
  /// A store with a container, without images but its own.
  private func store(_ driver: String) throws -> CrashStore {
    let store = try CrashStore(driver: driver, program: stowageItself(hasHooks: true))
    try store.stowage("load", "-q", "@docker-archive")
    try store.stowage("create", "stowage-demo", "web")
    try store.stowage("copy", "@directory/a", "web:/made")
    return store
  }

  /// Images by name with their layers, and how many layers there are: what differs from one commit to the next is left out.
  private func state(_ store: CrashStore) throws -> (images: [String], left: [String]) {
    let images = try store.stowage("ls", "-n", "--format", "{{.Repository}}").split(separator: "\n").map(String.init)
      .sorted()
    let layers = try store.stowage("layers", "-q").split(separator: "\n").count
    return (images + ["\(layers) layers"], try store.look().leftovers)
  }

  private static let cases = [
    ("overlay", ["commit", "-q", "web", "new"]), ("vfs", ["commit", "-q", "--squash", "web", "new"]),
    ("vfs", ["import", "-q", "@layer", "new"]),
  ]

  @Test(.tags(.driver), arguments: cases)
  func `What is killed or fails while it makes an image leaves the whole one or nothing`(
    driver: String, words: [String]
  )
    throws
  {
    let store = try store(driver)
    defer { store.close() }
    let old = try state(store)
    let steps = try store.countSteps(words)
    let new = try state(store)
    #expect(steps > 3 && old.images != new.images && old.left.isEmpty && new.left.isEmpty, "\(new)")
    try store.stowage("rm", "localhost/new:latest")
    #expect(try state(store).images == old.images)
    for (index, step) in Sweep.steps(of: steps, sample: 2).enumerated() {
      if index % 2 == 0 {
        try store.kill(words, before: step)
      } else {
        _ = try store.fail(words, at: step, with: "ENOSPC:once")
      }
      let found = try state(store)
      #expect(found.images == old.images || found.images == new.images, "step \(step): \(found)")
      #expect(found.left.isEmpty, "step \(step): \(found.left)")
      if found.images == new.images { try store.stowage("rm", "localhost/new:latest") }
      #expect(try state(store).images == old.images, "step \(step): cannot be undone")
    }
  }
}
