// SPDX-License-Identifier: Apache-2.0

import StowageTestSupport
import SystemPackage
import Testing

/// Containers with ID maps that Podman ran (changes-1.65 1).
@Suite(
  "Mapped containers of Podman", .tags(.root, .interop),
  .enabled(if: isRoot && commandExists("podman") && commandExists("runc"), "Podman runs containers"))
struct MappedPodmanTests {
  private let name = "localhost/stowage-demo:1"

  /// Runs a container, and gives the layer's owners by path in its archive.
  private func owners(_ store: SharedStore, adding variables: [String] = []) throws -> [String: String] {
    try store.stowage("load", "-q", try DemoImage.dockerArchive())
    let image = try #require(try store.stowage("images", "-q").lines.first)
    // Without a place for shared memory, whose mount Podman 4.3.1 sometimes stumbles over when it removes the container.
    let run = store.podmanWords([
      "run", "--name", "c", "--ipc", "none", "--network", "none", "--uidmap", "0:100000:65536", "--gidmap",
      "0:200000:65536", image,
      "/bin/sh", "-c", "echo new >/srv/new; mkdir /srv/d; rm /etc/motd",
    ])
    try store.command(["env"] + variables + run)
    let id = try store.command(store.podmanWords(["inspect", "--format", "{{.Id}}", "c"])).line
    let layer = try store.command([
      "jq", "-r", ".[] | select(.id == \"\(id)\") | .layer", store.graph + "/overlay-containers/containers.json",
    ]).line
    let file = store.directory + "/d.tar"
    try store.command(["env"] + variables + store.stowageWords("diff", ["-u", "-f", file, layer]))
    let changes = try store.stowage("changes", layer).lines
    #expect(changes.contains(#"Add "/srv/new""#) && changes.contains(#"Delete "/etc/motd""#))
    var found: [String: String] = [:]
    for line in try store.command(["tar", "--numeric-owner", "-tvf", file]).lines {
      let words = line.split(separator: " ")
      if words.count >= 6 { found[String(words[5])] = String(words[1]) }
    }
    return found
  }

  @Test(.tags(.slow), arguments: [[], ["_CONTAINERS_OVERLAY_DISABLE_IDMAP=yes"]])
  func `The diff of a container that Podman ran has the container's owners`(variables: [String]) throws {
    let store = try SharedStore()
    let found = try owners(store, adding: variables)
    #expect(found["srv/new"] == "0/0" && found["srv/d/"] == "0/0" && found["etc/.wh.motd"] == "0/0", "\(found)")
    #expect(found.values.allSatisfy { !$0.hasPrefix("10") }, "\(found)")
    try store.podman("rm", "c")
  }
}
