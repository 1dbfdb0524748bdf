// SPDX-License-Identifier: Apache-2.0

import StowageModel
import StowageSystem
import StowageTestSupport
import Testing

/// Figures of the listings beside Podman's for the same store.
@Suite("Listings beside Podman", .tags(.root, .interop), .serialized, .enabled(if: isRoot, "overlay mounts need root"))
struct ListingInteropTests {
  private func json(_ result: CommandResult) throws -> [JSONValue] {
    let value = try Array(result.output.utf8).withUnsafeBufferPointer { buffer in
      var reader = JSONReader(buffer)
      return try reader.readValue()
    }
    return value.array ?? []
  }

  @Test func `Short names mean the images that Podman means by them`() throws {
    let store = try SharedStore(driver: "vfs", program: stowageItself())
    try store.command(["mkdir", "-p", store.directory + "/.config/containers"])
    try store.write(
      ".config/containers/registries.conf",
      """
      unqualified-search-registries = ["two.example", "one.example"]
      [aliases]
      "nick" = "quay.io/acme/tool"
      "app" = "quay.io/acme/app"
      """)
    for (index, names) in [
      ["quay.io/acme/tool:1", "localhost/app:latest"], ["one.example/both:latest", "quay.io/acme/app:latest"],
      ["two.example/both:latest", "docker.io/library/hub:latest"],
    ].enumerated() {
      try store.write("content", "\(index)")
      try store.command(["tar", "-cf", store.directory + "/t.tar", "-C", store.directory, "content"])
      try store.podman("import", "-q", store.directory + "/t.tar", names[0])
      try store.podman("tag", names[0], names[1])
    }
    for name in [
      "nick:1", "nick", "app", "both", "hub", "acme/tool:1", "tool:1", "localhost/app", "nope", "one.example/both",
    ] {
      let theirs = try store.attempt(store.podmanWords(["image", "inspect", "--format", "{{.Id}}", name]))
      let words = store.stowageWords("inspect", ["--type", "image", "--format", "{{.Id}}", name])
      let ours = try store.attempt(words)
      #expect(ours.status.isSuccess == theirs.status.isSuccess, "\(name): \(ours) \(theirs)")
      #expect(!ours.status.isSuccess || ours.line == theirs.line, "\(name)")
    }
  }

  @Test func `Images, containers, configuration and history are those that Podman shows`() throws {
    let store = try SharedStore(program: stowageItself())
    try store.stowage("load", try DemoImage.dockerArchive())
    let name = "localhost/stowage-demo:latest"
    try store.podman("tag", name, "quay.io/acme/demo:2")
    try store.podman("create", "--name", "web", "--network", "none", name, "/bin/true")
    try store.buildah("from", "--pull-never", "--name", "bld", name)
    try store.stowage("create-container", "-n", "hand", name)

    let image = try #require(try json(try store.stowage("ls", "--json")).first)
    let same = try #require(try json(try store.podman("images", "--format", "json")).first)
    #expect(image["id"] == same["Id"] && image["size"] == same["Size"] && image["created"] == same["CreatedAt"])
    #expect(image["digest"] == same["Digest"] && image["containers"]?.array?.count == 3)
    #expect(image["names"]?.array?.count == 2 && same["Containers"]?.integer == 3)
    let row = "{{.Repository}} {{.Tag}} {{.ID}} {{.Size}} {{.CreatedSince}}"
    let rows = try store.stowage("ls", "--format", row).lines
    #expect(rows == (try store.podman("images", "--format", row).lines.sorted()))

    let inspected = try #require(try json(try store.podman("image", "inspect", name)).first)
    let ours = try #require(try json(try store.stowage("inspect", "--json", name)).first)
    #expect(ours["labels"] ?? .null == inspected["Labels"] ?? .null || inspected["Labels"] == .null)
    #expect(ours["architecture"] == inspected["Architecture"] && ours["os"] == inspected["Os"])
    #expect(ours["configuration"]?["Cmd"] == inspected["Config"]?["Cmd"])
    #expect(ours["manifest-type"] == inspected["ManifestType"])
    for field in ["{{.Id}}", "{{.RepoTags}}", "{{.Size}}", "{{json .RootFS.Layers}}", "{{json .RepoDigests}}"] {
      let theirs = try store.podman("image", "inspect", "--format", field, name).line
      #expect(try store.stowage("inspect", "--type", "image", "--format", field, name).line == theirs, "\(field)")
    }

    let history = try json(try store.podman("history", "--format", "json", name))
    let steps = try json(try store.stowage("history", "--json", name))
    #expect(steps.map { $0["created-by"]?.string ?? "" } == history.map { $0["CreatedBy"]?.string ?? "" })
    #expect(steps.map { $0["size"]?.integer ?? 0 } == history.map { $0["size"]?.integer ?? 0 })

    let containers = try json(try store.stowage("ps", "--json"))
    let theirs = try json(try store.podman("ps", "-a", "--external", "--format", "json"))
    func byID(_ list: [JSONValue], _ id: String, _ member: String) -> [String: JSONValue] {
      list.reduce(into: [:]) { $0[$1[id]?.string ?? ""] = $1[member] }
    }
    #expect(byID(containers, "id", "image") == byID(theirs, "Id", "ImageID"))
    #expect(byID(containers, "id", "names") == byID(theirs, "Id", "Names"))
    let owners = containers.reduce(into: [:]) { $0[$1["names"]?.array?.first?.string ?? ""] = $1["owner"] }
    #expect(owners == ["web": .string("podman"), "bld": .string("buildah"), "hand": .null])
    let sized = try json(try store.podman("ps", "-a", "-s", "--format", "json")).first
    let web = try #require(try json(try store.stowage("ps", "--json", "--size", "--filter", "name=web")).first)
    #expect(web["size"] == sized?["Size"]?["rwSize"], "\(web) \(String(describing: sized))")
  }
}
