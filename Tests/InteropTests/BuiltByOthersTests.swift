// SPDX-License-Identifier: Apache-2.0

import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Images and containers that Debian's programs made, in the hands of Stowage.
@Suite("Built by others", .tags(.root, .interop), .serialized, .enabled(if: isRoot, "overlay mounts need root"))
struct BuiltByOthersTests {
  /// An image of two layers built by Buildah; the second removes a file and replaces a directory.
  private func build(in store: SharedStore) throws -> String {
    let first = try store.buildah("from", "scratch").line
    let root = try store.mountPoint(store.buildah("mount", first))
    try store.command([
      "sh", "-ec",
      "cd \(root); mkdir d bin; echo a >d/a; echo b >b; cp /bin/busybox bin/sh; ln b hard; chmod 4755 bin/sh;"
        + "setfattr -n user.k -v v b",
    ])
    try store.buildah("umount", first)
    try store.buildah("commit", "-q", "--rm", first, "localhost/base:1")
    let second = try store.buildah("from", "--pull-never", "localhost/base:1").line
    let top = try store.mountPoint(store.buildah("mount", second))
    try store.command(["sh", "-ec", "cd \(top); rm b; rm -r d; mkdir d; echo n >d/n; mkfifo fifo"])
    try store.buildah("umount", second)
    try store.buildah("commit", "-q", "--rm", second, "localhost/two:1")
    return "localhost/two:1"
  }

  @Test(.tags(.driver, .slow), arguments: availableDrivers)
  func `Stowage lists, mounts and diffs an image built by Buildah, byte for byte`(driver: String) throws {
    let store = try SharedStore(driver: driver)
    let name = try build(in: store)
    #expect(try store.stowage("images", "-q").lines.count == 2)
    for layer in try store.stowage("layers", "-q").lines {
      let sum = try store.sha256(store.stowageWords("diff", ["-u", layer]))
      #expect(try store.recordedDiffID(of: layer) == "sha256:" + sum, "layer \(layer)")
    }
    let root = try store.mountPoint(store.stowage("mount", "-r", name))
    let listing = try store.command(["sh", "-c", "cd \(root) && find . | LC_ALL=C sort | tr '\\n' ' '"]).line
    #expect(listing.contains("./d/n"))
    #expect(!listing.contains("./d/a"))
    #expect(!listing.contains("./b "))
    try store.stowage("unmount", name)
  }

  @Test(.tags(.driver, .slow), arguments: availableDrivers)
  func `Stowage deletes what Podman imported, and nothing is left`(driver: String) throws {
    let store = try SharedStore(driver: driver)
    let name = try build(in: store)
    try store.stowage("delete-image", name)
    try store.stowage("delete-image", "localhost/base:1")
    #expect(try store.podman("images", "-aq").output.isEmpty)
    #expect(try store.stowage("layers", "-q").output.isEmpty)
    try store.expectNoLeftovers()
  }

  @Test(.tags(.driver, .slow), arguments: availableDrivers)
  func `A container of Podman is mounted and unmounted by Stowage, and Podman removes it`(driver: String) throws {
    let store = try SharedStore(driver: driver)
    try store.stowage("load", try DemoImage.dockerArchive())
    let id = try store.podman("create", "--network", "none", "localhost/stowage-demo:latest", "/bin/sh").line
    let root = try store.mountPoint(store.stowage("mount", id))
    try FilePath(root + "/srv/by-stowage").write("x")
    try store.stowage("unmount", id)
    try store.podman("cp", id + ":/srv/by-stowage", store.directory + "/out")
    #expect(try store.command(["cat", store.directory + "/out"]).output == "x")
    try store.podman("rm", id)
    #expect(try store.stowage("containers").output.isEmpty)
  }

  @Test func `A container of Stowage is mounted by Debian's tool, unmounted by Stowage and deleted by either`() throws {
    let store = try SharedStore()
    try store.stowage("load", try DemoImage.dockerArchive())
    for delete in [store.referenceWords, store.stowageWords] {
      try store.stowage("create-container", "-n", "c", "localhost/stowage-demo:latest")
      let root = try store.mountPoint(store.reference("mount", "c"))
      #expect(try store.stowage("mounted", "c").line == "c mounted")
      try FilePath(root + "/both").write("x")
      #expect(try store.stowage("mount", "c").line == root)
      #expect(try store.stowage("unmount", "c").output.isEmpty)
      #expect(try store.stowage("unmount", "c").line == "c mountpoint unmounted")
      #expect(try store.reference("mounted", "c").output.isEmpty)
      try store.command(delete("delete-container", ["c"]))
      #expect(try store.stowage("containers").output.isEmpty)
    }
  }

  @Test(.tags(.slow))
  func `What killed builds of Podman leave stays while it is recorded, and is reclaimed when it is not`() throws {
    let store = try SharedStore()
    try store.stowage("load", try DemoImage.dockerArchive())
    try store.write(
      "Containerfile",
      "FROM localhost/stowage-demo:latest\n"
        + String(repeating: "RUN dd if=/dev/zero of=/x bs=1M count=8; sleep 1\n", count: 3))
    let podman = store.podmanWords(["build", "--isolation", "chroot", "--network", "host", "--no-cache", "-q", "."])
    // Each build dies when it has made its second layer.
    let script = """
      cd \(store.directory); cp \(store.graph)/overlay-layers/layers.json \(store.graph)/overlay-images/images.json .
      # Podman makes other directories beside them, too.
      layers() { ls -d \(store.graph)/overlay/*/diff | wc -l; }
      for n in 1 2 3; do
        before=$(layers)
        setsid \(podman.joined(separator: " ")) >/dev/null 2>&1 & build=$!
        while [ $(layers) -lt $((before + 2)) ]; do kill -0 $build; sleep 0.05; done
        kill -KILL -- -$build; wait $build || true
      done
      """
    try store.command(["bash", "-ec", script])
    store.close()
    let all = try store.stowage("layers", "-q").lines.count
    #expect(all > 2 + 3)
    try store.stowage("check")
    #expect(try store.stowage("gc").output.isEmpty)
    #expect(try store.stowage("layers", "-q").lines.count == all)

    // After a restart the records of before come back, as from a backup.
    try store.command([
      "sh", "-ec",
      "cd \(store.graph); cp ../layers.json overlay-layers; cp ../images.json overlay-images;"
        + "printf '[]' >overlay-containers/containers.json; rm -r \(store.runRoot)",
    ])
    let found = try store.attempt(store.stowageWords("check", []))
    #expect(!found.status.isSuccess && found.output.contains("not accounted for"), "\(found)")
    let report = try store.stowage("gc").error
    #expect(report.contains("MB") && report.contains("× layer"), "\(report)")
    try store.stowage("check")
    try store.stowage("delete-image", "localhost/stowage-demo:latest")
    try store.expectNoLeftovers()
  }

  @Test func `Deep chains made by either are mounted by both`() throws {
    let store = try SharedStore()
    var parent = ""
    for index in 0..<24 {
      let words = index % 2 == 0 ? store.stowageWords : store.referenceWords
      try store.command(words("create-layer", ["-r", "--id", "d\(index)", parent]))
      parent = "d\(index)"
    }
    let viaStowage = try store.stowage("mount", parent).line
    #expect(try store.reference("unmount", parent).line == "\(parent) mountpoint unmounted")
    #expect(try store.reference("mount", parent).line == viaStowage)
    #expect(try store.stowage("unmount", parent).line == "\(parent) mountpoint unmounted")
  }
}
