// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Short names of images by `registries.conf`, as the verbs of `stowage` take them.
@Suite("Short names of images") struct ShortNameTests {
  let store: CommandStore
  let registries: String

  init() throws {
    store = try CommandStore("vfs", program: stowageItself().string)
    registries = store.directory.appending("registries.conf").string
    try store("create-layer", "--id", "base")
    for (id, name) in [
      ("tool", "quay.io/acme/tool:1"), ("mine", "localhost/app:latest"), ("theirs", "r.example/app:latest"),
      ("first", "one.example/both:latest"), ("second", "two.example/both:latest"),
    ] {
      try store("create-image", "--id", id, "-n", name, "base")
    }
    try store("create-container", "-n", "web", "--id", "c", "tool")
  }

  private func write(_ text: String) throws { _ = try store.file("registries.conf", text) }

  private func run(_ command: String...) throws -> ProcessResult {
    try store.run(command, adding: ["CONTAINERS_REGISTRIES_CONF": registries])
  }

  private func id(_ name: String) throws -> String {
    let result = try run("inspect", "--type", "image", "--format", "{{.Id}}", name)
    return result.isSuccess ? String(result.outputText.dropLast()) : result.errorText
  }

  @Test func `Aliases and search registries say which image a short name means`() throws {
    try write(
      """
      unqualified-search-registries = ["two.example", "one.example"]
      [aliases]
      nick = "quay.io/acme/tool"
      app = "r.example/app"
      """)
    #expect(try id("nick:1") == "tool")
    #expect(try id("both") == "second")
    // As Podman: the alias before what was made here.
    #expect(try id("app") == "theirs")
    #expect(try id("localhost/app") == "mine")
    #expect(try id("nick") == "no image has the name or ID \"nick\"\n")
    try write("")
    #expect(try id("app") == "mine")
    #expect(try id("both").contains("may be any of: image first"))
  }

  @Test func `All verbs that take a name as people type it take an alias`() throws {
    try write("[aliases]\nnick = \"quay.io/acme/tool\"\n")
    for name in ["nick", "nick:1"] { #expect(try run("ls", "-q", name).shows("tool\n"), "\(name)") }
    #expect(try run("ls", "nick:2").shows(error: "no image fits \"nick:2\"\n", status: 1))
    #expect(try run("ps", "-q", "--filter", "ancestor=nick:1").shows("c\n"))
    #expect(try run("tree", "-q", "nick:1").shows("base\n"))
    for command in ["history", "changes", "diffsize"] {
      let result = try run(command, "nick:1")
      #expect(result.isSuccess, "\(result)")
    }
    #expect(try run("diff", "-u", "nick:1").isSuccess)
    #expect(try run("copy", "nick:1:/", store.directory.appending("out").string).isSuccess)
    #expect(try run("create", "nick:1", "new").isSuccess)
    let mounted = try run("mount", "--read-only", "nick:1")
    #expect(mounted.isSuccess && mounted.outputText.hasPrefix("/"), "\(mounted)")
    #expect(try run("unmount", "nick:1").status == run("unmount", "quay.io/acme/tool:1").status)
    #expect(try run("tag", "nick:1", "other").shows())
    #expect(try run("untag", "nick:1", "other").shows())
    // What deletes takes exact names.
    #expect(try run("rm", "nick:1").status == .exited(1))
    #expect(try run("delete-image", "nick:1").status == .exited(1))
  }

  @Test func `Damaged files are told with their place, and only where a short name is looked up`() throws {
    try write("[aliases]\nnick = 1\n")
    let problem = "\(registries): line 2, column 8: aliases.nick: must be of type string, and is of type int64\n"
    #expect(try run("history", "nick:1").shows(error: problem, status: 1))
    #expect(try run("changes", "nick").shows(error: problem, status: 1))
    for command in [
      ["ls"], ["ls", "tool"], ["ls", "*nope*"], ["ps"], ["tree"], ["history", "quay.io/acme/tool:1"],
      ["changes", "web"],
      ["inspect", "tool"], ["rm", "--dry-run", "one.example/both:latest"], ["df"],
    ] {
      let result = try store.run(command, adding: ["CONTAINERS_REGISTRIES_CONF": registries])
      #expect(!result.errorText.contains(registries), "\(command): \(result)")
    }
    let info = try run("info")
    #expect(info.isSuccess && info.outputText.contains("configuration  \(registries)\n"), "\(info)")
    #expect(info.outputText.contains("note") && info.outputText.contains("line 2, column 8"), "\(info)")
    #expect(try run("info", "--json").outputText.contains(#""registries":["\#(registries)"]"#))
  }

  @Test func `Under the reference's name no file of registries is read`() throws {
    try write("x =")
    let reference = try CommandStore("vfs")
    let variables = ["CONTAINERS_REGISTRIES_CONF": registries]
    #expect(try reference.run(["changes", "nick"], adding: variables).shows(error: "layer not known\n", status: 1))
  }
}
