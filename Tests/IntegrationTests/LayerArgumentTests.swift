// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What the verbs that read take for a layer, as `stowage` and as the reference.
@Suite("Arguments that mean a layer") struct LayerArgumentTests {
  let store: CommandStore

  init() throws {
    store = try CommandStore("vfs", program: stowageItself().string)
    _ = try store("load", "-q", fixture("samples/sample-docker-archive.tar").string)
    #expect(try store("create-layer", "-i", "plain").isSuccess)
    #expect(try store("create-image", "-i", "im", "-n", "localhost:5000/acme/app:1", "plain").isSuccess)
    #expect(try store("create-container", "-i", "c0ffee", "-n", "web", "im").isSuccess)
  }

  @Test func `Containers and images are known by name, short name and the beginning of their ID`() throws {
    let file = try store.file("note", "hello")
    #expect(try store("copy", file, "web:/note").shows())
    for name in ["web", "c0ff"] { #expect(try store("changes", name).shows("Add \"/note\"\n"), "\(name)") }
    let size = try store("diffsize", "web")
    #expect(size.isSuccess)
    #expect(try store("diff", "-u", "web").output == store("diff", "-u", "c0ffee").output)
    #expect(try store("changes", "app:1").isSuccess)
    #expect(try store("diff", "-u", "localhost:5000/acme/app:1").isSuccess)
    #expect(try store("changes", "web", "plain").shows("Add \"/note\"\n"))
  }

  @Test func `The longest part before a path names what is copied from or to`() throws {
    let file = try store.file("note", "hello")
    #expect(try store("copy", file, "plain:/inside").shows())
    #expect(try store("copy", "localhost:5000/acme/app:1:/inside", "web:/from-image").shows())
    #expect(try store("changes", "web").outputText.contains("\"/from-image\""))
    // An image is not written to, whatever its name.
    let refused = try store("copy", file, "app:1:/x")
    #expect(refused.status == .exited(1) && refused.errorText.contains("no layer or container"), "\(refused)")
  }

  @Test func `Exact names of layers come first, what is ambiguous is refused, and deletion takes exact names`() throws {
    #expect(try store("create-layer", "-i", "ab1", "-n", "web").isSuccess)
    #expect(try store("create-layer", "-i", "ab2").isSuccess)
    let file = try store.file("note", "hello")
    #expect(try store("copy", file, "ab1:/mine").shows())
    #expect(try store("changes", "web").shows("Add \"/mine\"\n"))
    let ambiguous = try store("changes", "ab")
    #expect(ambiguous.status == .exited(1) && ambiguous.errorText.contains("layer ab1"), "\(ambiguous)")
    #expect(try store("delete-layer", "ab2x").status == .exited(1))
    #expect(try store("delete-layer", "ab").status == .exited(1))
    #expect(
      try store("changes", "nothing").shows(
        error: "no layer or container or image has the name or ID \"nothing\"\n", status: 1))
  }

  @Test func `Under the reference's name only layers are meant`() throws {
    let reference = try run(
      [stowageExecutable().string] + store.words(["changes", "web"]).dropFirst(), adding: store.environment)
    #expect(reference.status == .exited(1), "\(reference)")
  }
}
