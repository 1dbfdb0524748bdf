// SPDX-License-Identifier: Apache-2.0

import StowageConfig
import StowageModel
import StowageRegistry
import StowageTestSupport
import Testing

@Suite("Keys of registries.conf") struct RegistriesConfigurationTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// What is said of a file, behind its name.
  private func complaint(_ text: String) throws -> String? {
    let error = #expect(throws: StorageError.self) { try scratch.load(file: text) }
    #expect(error?.code == .configuration)
    let prefix = "loading registries configuration \"\(scratch.path)/r.conf\": toml: "
    #expect(error?.message.hasPrefix(prefix) == true)
    return error.map { String($0.message.dropFirst(prefix.count)) }
  }

  @Test func `Each key is merged by its own rule, and others are skipped`() throws {
    try scratch.write(
      "a.conf",
      """
      unqualified-search-registries = ["one.example/", "localhost:5000", "docker.io"]
      short-name-mode = "enforcing"
      credential-helpers = 7
      nobody-knows = { x = 1 }
      [[registry]]
      location = "mirror.example"
      [aliases]
      "kept" = "q.io/kept"
      "moved" = "q.io/moved"
      "gone" = "q.io/gone"
      "acme/tool" = "q.io/acme/tool"
      """)
    try scratch.write("b.conf", "short-name-mode = \"\"\n[aliases]\nmoved = \"r.io/moved\"\ngone = \"\"\n")
    let configuration = try scratch.load([
      "CONTAINERS_REGISTRIES_CONF": scratch.path + "/a.conf",
      "CONTAINERS_REGISTRIES_CONF_OVERRIDE": scratch.path + "/b.conf",
    ])
    #expect(configuration.registries == ["one.example", "localhost:5000", "docker.io"])
    #expect(configuration.shortNameMode.value == .enforcing)
    #expect(configuration.targets == ["kept": "q.io/kept", "moved": "r.io/moved", "acme/tool": "q.io/acme/tool"])
    #expect(configuration.aliases["moved"]?.origin == .file(path: scratch.path + "/b.conf", line: 3, column: 9))
    #expect(configuration.searchRegistries[1].origin == .file(path: scratch.path + "/a.conf", line: 1, column: 50))
    // An empty list replaces, too.
    try scratch.write("b.conf", "unqualified-search-registries = []\n")
    #expect(
      try scratch.load([
        "CONTAINERS_REGISTRIES_CONF": scratch.path + "/a.conf",
        "CONTAINERS_REGISTRIES_CONF_OVERRIDE": scratch.path + "/b.conf",
      ]).registries.isEmpty)
  }

  @Test(arguments: [
    ("x =\n", "line 1, column 4: expected a value"),
    ("\n[registries.search]\n", "line 2, column 2: registries.conf must be in v2 format but is in v1"),
    ("short-name-mode = \"maybe\"", "line 1, column 19: invalid short-name mode: \"maybe\""),
    (
      "unqualified-search-registries = [\"q.io\",\n \"http://x\"]",
      "line 2, column 2: Invalid unqualified-search-registries entry \"http://x\""
    ),
    (
      "unqualified-search-registries = \"q.io\"",
      "line 1, column 33 (last key \"unqualified-search-registries\"): incompatible types: TOML value has type string; "
        + "destination has type array"
    ),
    (
      "[aliases]\n\"q.io/x\" = \"q.io/x\"",
      "line 2, column 12: alias \"q.io/x\": must be a name without registry, tag and digest"
    ),
    (
      "[aliases]\n\"x:1\" = \"q.io/x\"",
      "line 2, column 9: alias \"x:1\": must be a name without registry, tag and digest"
    ),
    (
      "[aliases]\nx = \"acme/x\"",
      "line 2, column 5: alias \"x\": \"acme/x\" must be a name with registry, without tag and digest"
    ),
    (
      "[aliases]\nx = \"q.io/x:1\"",
      "line 2, column 5: alias \"x\": \"q.io/x:1\" must be a name with registry, without tag and digest"
    ),
    (
      "[aliases]\nx = 1",
      "line 2, column 5 (last key \"aliases.x\"): incompatible types: TOML value has type int64; destination has type string"
    ),
  ])
  func `What is wrong is told with its place`(text: String, problem: String) throws {
    #expect(try complaint(text) == problem)
  }

  @Test
  func `A short name stands for its alias, then for an image made here, then for one name in each search registry`()
    throws
  {
    let configuration = try scratch.load(
      file: """
        unqualified-search-registries = ["r.io", "docker.io", "plain"]
        [aliases]
        "tool" = "q.io/acme/tool"
        "alpine" = "docker.io/library/alpine"
        "mine" = "localhost/mine"
        """)
    #expect(
      configuration.wholeNames(of: "tool:2") == [
        "q.io/acme/tool:2", "localhost/tool:2", "r.io/tool:2", "docker.io/library/tool:2",
      ])
    #expect(
      configuration.wholeNames(of: "alpine") == [
        "docker.io/library/alpine:latest", "localhost/alpine:latest", "r.io/alpine:latest",
      ])
    #expect(
      configuration.wholeNames(of: "acme/tool") == [
        "localhost/acme/tool:latest", "r.io/acme/tool:latest", "docker.io/acme/tool:latest",
      ])
    #expect(configuration.wholeNames(of: "mine").first == "localhost/mine:latest")
    let digest = "@sha256:" + String(repeating: "a", count: 64)
    #expect(configuration.wholeNames(of: "tool:9" + digest).first == "q.io/acme/tool" + digest)
    for name in ["q.io/tool", "localhost/tool", "", "Tool", "tool:", "*"] {
      #expect(configuration.wholeNames(of: name).isEmpty, "\(name)")
    }
  }

  @Test(.tags(.slow), .timeLimit(.minutes(1)))
  func `As many tables and aliases as fit into a file are read in no time`() throws {
    let text = String(repeating: "[[registry]]\n", count: 100_000) + "[aliases]\n"
    let aliases = (0..<50_000).map { "n\($0) = \"q.io/n\($0)\"\n" }.joined()
    #expect(try scratch.load(file: text + aliases).aliases.count == 50_000)
  }
}
