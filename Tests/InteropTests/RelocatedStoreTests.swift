// SPDX-License-Identifier: Apache-2.0

import StowageTestSupport
import Testing

/// A store that `relocate` has split, in the hands of Debian's Podman, which reads image stores as additional stores.
@Suite("A store that was split", .tags(.root, .interop), .serialized, .enabled(if: isRoot, "overlay mounts need root"))
struct RelocatedStoreTests {
  private let name = "localhost/stowage-demo:latest"

  @Test(.tags(.slow)) func `Podman serves images and runs containers of a store that was split by relocate`() throws {
    let store = try SharedStore()
    try store.podman("load", "-q", "-i", try DemoImage.dockerArchive())
    try store.podman("create", "--name", "old", "--network", "none", name, "/bin/sh", "-c", "cat /srv/hello.txt")
    let split = ["--image-store", store.directory + "/i"]
    func relocate(_ words: String...) throws -> [String] {
      try store.command(store.stowageWords("relocate", split + ["--all"] + words)).lines
    }
    func podman(_ words: String...) throws -> [String] {
      try store.command(store.podmanWords(["--storage-opt", "overlay.imagestore=\(store.directory)/i"] + words)).lines
    }
    let plan = try relocate("--to", "image-store", "--dry-run")
    #expect(plan.first == "would move: image \(name)")
    let done = try relocate("--to", "image-store")
    #expect(done == plan.map { $0.replacing("would move", with: "moved") })
    #expect(try store.stowage("images").lines == [])
    #expect(try podman("images", "--format", "{{.Repository}}:{{.Tag}}") == [name])
    // A container that was there before, and a new one.
    let before = try podman("start", "-a", "old")
    #expect(!before.isEmpty)
    #expect(try podman("run", "--rm", "--network", "none", name, "/bin/sh", "-c", "cat /srv/hello.txt") == before)
    _ = try podman("rm", "old")
    // And back again, without any option.
    _ = try relocate("--to", "graph-root")
    let last = try store.podman("run", "--rm", "--network", "none", name, "/bin/sh", "-c", "cat /srv/hello.txt")
    #expect(last.lines == before)
  }
}
