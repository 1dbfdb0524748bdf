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

  /// Runs a container that makes files and a directory, and removes a file.
  private func runContainer(in store: SharedStore, _ variables: [String]) throws {
    try store.stowage("load", "-q", try DemoImage.dockerArchive())
    let image = try #require(try store.stowage("images", "-q").lines.first)
    // Without a place for shared memory, whose mount Podman 4.3.1 sometimes stumbles over when it removes the container.
    let run = store.podmanWords([
      "run", "--name", "c", "--ipc", "none", "--network", "none", "--uidmap", "0:100000:65536", "--gidmap",
      "0:200000:65536", image,
      "/bin/sh", "-c", "echo new >/srv/new; mkdir /srv/d; chown 7:8 /srv/d; rm /etc/motd",
    ])
    try store.command(["env"] + variables + run)
  }

  /// The layer of an image or container whose records a filter of jq is to pick from.
  private func layer(_ kind: String, _ filter: String, _ store: SharedStore) throws -> String {
    try store.command(["jq", "-r", filter + " | .layer", "\(store.graph)/overlay-\(kind)/\(kind).json"]).line
  }

  /// The owners in the archive of a layer, by path.
  private func owners(of layer: String, _ store: SharedStore, _ variables: [String]) throws -> [String: String] {
    let file = store.directory + "/d.tar"
    try store.command(["env"] + variables + store.stowageWords("diff", ["-u", "-f", file, layer]))
    var found: [String: String] = [:]
    for line in try store.command(["tar", "--numeric-owner", "-tvf", file]).lines {
      let words = line.split(separator: " ")
      if words.count >= 6 { found[String(words[5])] = String(words[1]) }
    }
    return found
  }

  @Test(.tags(.slow), arguments: [[], ["_CONTAINERS_OVERLAY_DISABLE_IDMAP=yes"]])
  func `The diff of a container that Podman ran has the container's owners, whatever Podman's commit has`(
    variables: [String]
  ) throws {
    let store = try SharedStore()
    try runContainer(in: store, variables)
    let id = try store.command(store.podmanWords(["inspect", "--format", "{{.Id}}", "c"])).line
    let layer = try layer("containers", ".[] | select(.id == \"\(id)\")", store)
    let found = try owners(of: layer, store, variables)
    let expected = ["srv/new": "0/0", "srv/d/": "7/8", "etc/.wh.motd": "0/0"]
    #expect(found.filter { expected[$0.key] != nil } == expected, "\(found)")
    #expect(found.values.allSatisfy { !$0.hasPrefix("10") }, "\(found)")
    let changes = try store.stowage("changes", layer).lines
    for line in [#"Add "/srv/new""#, #"Add "/srv/d""#, #"Delete "/etc/motd""#] { #expect(changes.contains(line)) }

    // Podman 4.3.1 does not know the variable: owners are shifted by the kernel, and its layer has those of the host. What a later
    // Podman writes with it is in a sample, see `MappedSampleTests`.
    try store.command(["env"] + variables + store.podmanWords(["commit", "-q", "c", "localhost/committed:1"]))
    let names = "(.names // []) | index(\"localhost/committed:1\")"
    let theirs = try owners(of: self.layer("images", ".[] | select(\(names))", store), store, [])
    let host = ["srv/new": "100000/200000", "srv/d/": "100007/200008"]
    #expect(theirs.filter { host[$0.key] != nil } == host, "\(theirs)")
    try store.podman("rm", "c")
  }
}
