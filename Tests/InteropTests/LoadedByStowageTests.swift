// SPDX-License-Identifier: Apache-2.0

import StowageTestSupport
import SystemPackage
import Testing

/// Images that Stowage loaded, in the hands of Debian's Podman, Buildah, Skopeo and containers-storage.
@Suite("Loaded by Stowage", .tags(.root, .interop), .serialized, .enabled(if: isRoot, "overlay mounts need root"))
struct LoadedByStowageTests {
  private let name = "localhost/stowage-demo:latest"

  private func storeWithImage(driver: String = "overlay") throws -> SharedStore {
    let store = try SharedStore(driver: driver)
    try store.stowage("load", try DemoImage.dockerArchive())
    return store
  }

  @Test(.tags(.driver, .slow), arguments: availableDrivers)
  func `Podman lists, inspects and runs an image loaded by Stowage`(driver: String) throws {
    let store = try storeWithImage(driver: driver)
    #expect(try store.podman("images", "--format", "{{.Repository}}:{{.Tag}}").lines == [name])
    let id = try store.stowage("images", "-q").line
    #expect(try store.podman("image", "inspect", "--format", "{{.Id}}", name).line == id)
    let said = try store.podman(
      "run", "--rm", "--network", "none", name, "/bin/sh", "-c",
      "cat /srv/hello.txt; test -e /etc/obsolete || echo gone")
    #expect(said.lines.last == "gone")
    #expect(said.lines.count >= 2)
  }

  @Test(.tags(.driver, .slow), arguments: availableDrivers)
  func `Podman commits a container of the image, and Stowage reads the result`(driver: String) throws {
    let store = try storeWithImage(driver: driver)
    try store.podman(
      "run", "--name", "c", "--network", "none", name, "/bin/sh", "-c", "echo new >/srv/new; rm /etc/motd")
    try store.podman("commit", "-q", "c", "localhost/committed:1")
    let top = try store.stowage("image", "localhost/committed:1").lines.first { $0.hasPrefix("Top Layer: ") }
    let layer = String(try #require(top).dropFirst("Top Layer: ".count))
    let changes = try store.stowage("changes", layer).lines
    #expect(changes.contains("Add \"/srv/new\""))
    #expect(changes.contains("Delete \"/etc/motd\""))
    try store.podman("rm", "c")
  }

  @Test func `Podman saves the image, and a load of what it saved is a no-op`() throws {
    let store = try storeWithImage()
    let before = try store.stowage("layers", "-j").output + store.stowage("images", "-j").output
    let saved = store.directory + "/saved.tar"
    try store.podman("save", "-q", "--format", "docker-archive", "-o", saved, name)
    try store.stowage("load", saved)
    #expect(try store.stowage("layers", "-j").output + store.stowage("images", "-j").output == before)
  }

  @Test func `Podman's own load after ours adds nothing`() throws {
    let store = try storeWithImage()
    let layers = try store.stowage("layers", "-j").output
    let image = try store.stowage("images", "-q").line
    try store.podman("load", "-q", "-i", try DemoImage.dockerArchive())
    #expect(try store.stowage("layers", "-j").output == layers)
    #expect(try store.stowage("images", "-q").line == image)
  }

  @Test func `Our load after Podman's own adds nothing`() throws {
    let store = try SharedStore()
    try store.podman("load", "-q", "-i", try DemoImage.ociArchive())
    let layers = try store.stowage("layers", "-j").output
    let image = try store.stowage("images", "-q").line
    try store.stowage("load", try DemoImage.ociArchive())
    #expect(try store.stowage("layers", "-j").output == layers)
    #expect(try store.stowage("images", "-q").line == image)
  }

  @Test(.tags(.driver, .slow), arguments: availableDrivers)
  func `Podman deletes the image, and nothing is left`(driver: String) throws {
    let store = try storeWithImage(driver: driver)
    try store.podman("image", "rm", name)
    #expect(try store.stowage("layers", "-q").output.isEmpty)
    #expect(try store.stowage("images", "-q").output.isEmpty)
    try store.expectNoLeftovers()
  }

  @Test(.tags(.slow), arguments: ["dir:", "oci:", "docker-archive:"])
  func `Skopeo copies the image out of the store, verifying all digests`(transport: String) throws {
    let store = try storeWithImage()
    let target = transport + store.directory + "/copy" + (transport == "docker-archive:" ? ".tar" : "")
    try store.command([
      "skopeo", "--policy", store.directory + "/policy.json", "copy", "-q", store.reference(toImage: name), target,
    ])
  }

  @Test func `Buildah builds on the image`() throws {
    let store = try storeWithImage()
    let container = try store.buildah("from", "--pull-never", name).line
    try store.write("file", "from buildah\n")
    try store.buildah("copy", "-q", container, store.directory + "/file", "/srv/")
    try store.buildah("commit", "-q", "--rm", container, "localhost/built:1")
    let built = try store.stowage("image", "localhost/built:1").lines
    #expect(built.contains("Name: localhost/built:1"))
  }

  @Test func `Debian's containers-storage lists, mounts and deletes what Stowage loaded`() throws {
    let store = try storeWithImage()
    #expect(try store.reference("layers", "-j").line == store.stowage("layers", "-j").line)
    #expect(try store.reference("images", "-j").line == store.stowage("images", "-j").line)
    for layer in try store.stowage("layers", "-q").lines {
      let ours = try store.sha256(store.stowageWords("diff", ["-u", layer]))
      #expect(try store.sha256(store.referenceWords("diff", ["-u", layer])) == ours)
      #expect(try store.recordedDiffID(of: layer) == "sha256:" + ours)
    }
    try store.reference("delete-image", name)
    #expect(try store.stowage("layers", "-q").output.isEmpty)
  }

  @Test(.tags(.slow)) func `Podman starts a container again whose record was lost and restored`() throws {
    let store = try storeWithImage()
    try store.podman(
      "run", "--name", "c", "--network", "none", name, "/bin/sh", "-c", "test -e /kept && echo again; echo x >/kept")
    try FilePath("\(store.graph)/overlay-containers/containers.json").write("")
    let repaired = try store.stowage("check", "--repair", "--max", "0s")
    #expect(repaired.error.contains("1 made from what is on disk"), "\(repaired)")
    #expect(try store.podman("start", "-a", "c").lines.last == "again")
    try store.podman("rm", "c")
    try store.podman("image", "rm", name)
  }
}
