// SPDX-License-Identifier: Apache-2.0

import StowageSystem
import StowageTestSupport
import Testing

/// One additional image store, read by Debian's Podman and by Stowage at the same moment.
@Suite(
  "An additional store used by two programs at once", .tags(.root, .interop), .serialized,
  .enabled(if: isRoot, "overlay mounts need root"))
struct AdditionalStoreRunTests {
  private let name = "localhost/stowage-demo:latest"

  @Test(.tags(.driver, .slow), arguments: ["overlay", "vfs"])
  func `An image of an additional store runs in Podman and in Stowage at once`(driver: String) throws {
    let owner = try SharedStore(driver: driver)
    try owner.stowage("load", try DemoImage.dockerArchive())
    _ = try owner.attempt(owner.stowageWords("shutdown", ["-f"]))
    let listing = "cd \(owner.graph) && find . -printf '%p %y %m %s %T@ %l\\n' | sort"
    let before = try owner.command(["sh", "-c", listing]).output

    // Podman and Stowage on one graph root, and Stowage on another one.
    let (shared, other) = (try SharedStore(driver: driver), try SharedStore(driver: driver))
    let option = ["--storage-opt", "\(driver).imagestore=\(owner.graph)"]
    func podman(_ words: String...) throws -> CommandResult {
      try shared.command(shared.podmanWords(option + words))
    }
    func stowage(_ store: SharedStore, _ verb: String, _ words: String...) throws -> CommandResult {
      try store.command(store.stowageWords(verb, option + words))
    }
    #expect(try podman("images", "--format", "{{.Repository}}:{{.Tag}} {{.ReadOnly}}").lines == ["\(name) true"])
    try withExtendedLifetime((owner, shared, other)) {
      _ = try podman("run", "-d", "--name", "running", "--network", "none", name, "/bin/sh", "-c", "sleep 600")
      defer { _ = try? podman("rm", "-f", "-t", "0", "running") }
      for store in [shared, other] {
        _ = try stowage(store, "create-container", "-n", "ours", name)
        let root = try store.mountPoint(try stowage(store, "mount", "ours"))
        let said = try store.command(["chroot", root, "/bin/sh", "-c", "echo ours >/srv/new; cat /srv/hello.txt"])
        let there = try podman("exec", "running", "/bin/sh", "-c", "test ! -e /srv/new && cat /srv/hello.txt")
        #expect(said.output == there.output && !there.output.isEmpty)
        let image = try store.mountPoint(try stowage(store, "mount", "-r", name))
        #expect(try store.command(["cat", image + "/srv/hello.txt"]).output == there.output)
        #expect(try !store.attempt(["touch", image + "/srv/new"]).status.isSuccess)
        _ = try stowage(store, "unmount", name)
        _ = try stowage(store, "unmount", "ours")
      }
      #expect(try podman("ps", "-q", "-f", "status=running").lines.count == 1)
      _ = try stowage(shared, "delete-container", "ours")
    }
    #expect(try stowage(shared, "containers").lines == [])
    #expect(try owner.command(["sh", "-c", listing]).output == before)
  }
}
