// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// `config --explain`: which value holds, and who said so.
@Suite("Explained configuration") struct ExplainTests {
  private let store: CommandStore
  private let file: String

  init() throws {
    store = try CommandStore("vfs")
    file = try store.file(
      "explained.conf",
      """
      [storage]
      driver = "vfs"
      graphroot = "\(store.graphRoot)"
      transient_store = true
      [storage.options]
        additionalimagestores = [ "/ro1",
          "/ro2" ]
      auto-userns-min-size = 2000
      colour = "blue"
      [storage.options.pull_options]
      convert_images = "true"
      [storage.options.vfs]
      ignore_chown_errors = "true"
      """)
  }

  private func explain(
    _ before: [String] = [], _ behind: [String] = [], adding variables: [String: String] = [:]
  ) throws -> ProcessResult {
    try store.bare(
      before + ["config", "--explain"] + behind, adding: variables.merging(["CONTAINERS_STORAGE_CONF": file]) { $1 })
  }

  /// Name, value and origin of each row of the table.
  private func rows(_ result: ProcessResult) -> [[String]] {
    result.outputText.split(separator: "\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }.dropFirst()
      .map { $0.split(separator: " ").map(String.init) }
  }

  @Test func `A file's values have its line and column, others are defaults`() throws {
    let result = try explain()
    #expect(
      rows(result) == [
        ["runroot", "/run/containers/storage", "default"], ["root", store.graphRoot, "\(file):3:13"],
        ["imagestore", "-", "default"], ["driver", "vfs", "\(file):2:10"], ["driver-priority", "-", "default"],
        ["driver-options", "imagestore=/ro1", "\(file):6:29"], ["driver-options", "imagestore=/ro2", "\(file):7:5"],
        ["driver-options", "vfs.ignore_chown_errors=true", "\(file):13:23"],
        ["root_auto_ns_user", "containers", "default"], ["auto_userns_min_size", "2000", "\(file):8:24"],
        ["auto_userns_max_size", "65536", "default"], ["PullOptions.convert_images", "true", "\(file):11:18"],
        ["disable-volatile", "false", "default"],
        ["pin_layers", "false", "default"], ["transient_store", "true", "\(file):4:19"],
      ], "\(result)")
    #expect(result.outputText.hasPrefix("NAME "))
    #expect(
      result.outputText.hasSuffix("\n\nread: \(file)\nnote: \(file):9:1: unknown key \"storage.options.colour\"\n"))
    #expect(result.status == .exited(0))
    // The additional stores do not exist: no store was opened for this.
    #expect(!store.directory.appending("g").exists)
  }

  @Test func `Variables and options of the command line are named`() throws {
    let result = try explain(
      ["--transient-store=false"], ["-R", "/run/other", "--storage-opt", "vfs.sync=none"],
      adding: ["STORAGE_DRIVER": "overlay", "STORAGE_OPTS": "a=1,b=2"])
    let wanted = [
      ["runroot", "/run/other", "--run"], ["root", store.graphRoot, "\(file):3:13"],
      ["driver", "overlay", "$STORAGE_DRIVER"], ["driver-options", "a=1", "$STORAGE_OPTS"],
      ["driver-options", "b=2", "$STORAGE_OPTS"], ["driver-options", "vfs.sync=none", "--storage-opt"],
      ["transient_store", "false", "--transient-store"],
    ]
    let found = rows(result)
    for row in wanted { #expect(found.contains(row), "\(row) is missing in \(result)") }
    #expect(result.outputText.contains("\nnote: $STORAGE_OPTS: 3 configured driver options are replaced\n"))
  }

  @Test func `Options before the command drop the configuration, and a missing root still comes from it`()
    throws
  {
    let found = rows(try explain(["-s", "overlay", "-R", "/run/mine"]))
    let wanted = [
      ["runroot", "/run/mine", "--run"], ["root", store.graphRoot, "\(file):3:13"],
      ["driver", "overlay", "--storage-driver"],
      ["driver-options", "-", "default"], ["transient_store", "false", "default"],
    ]
    for row in wanted { #expect(found.contains(row), "\(row) is missing in \(found)") }
  }

  @Test func `A file on the command line replaces the configured one`() throws {
    let other = try store.file("other.conf", "[storage]\nrunroot = \"/cr\"\n")
    let found = rows(try explain([], [other]))
    #expect(found.contains(["runroot", "/cr", "\(other):2:11"]))
    #expect(found.contains(["root", "/var/lib/containers/storage", "default"]))
  }

  @Test func `JSON has the same`() throws {
    let result = try explain([], ["--json"], adding: ["STORAGE_DRIVER": "vfs"])
    let value = try JSONValue(parsing: result.output)
    func setting(_ name: String) -> JSONValue? { value["settings"]?.array?.first { $0["name"]?.string == name } }
    #expect(setting("root")?["value"]?.string == store.graphRoot)
    #expect(setting("root")?["origin"]?["kind"]?.string == "file")
    #expect(setting("root")?["origin"]?["path"]?.string == file)
    #expect(setting("root")?["origin"]?["line"]?.integer == 3)
    #expect(setting("root")?["origin"]?["column"]?.integer == 13)
    #expect(setting("driver")?["origin"]?["kind"]?.string == "environment")
    #expect(setting("driver")?["origin"]?["name"]?.string == "STORAGE_DRIVER")
    #expect(setting("auto_userns_min_size")?["value"]?.integer == 2000)
    #expect(setting("transient_store")?["value"]?.bool == true)
    #expect(setting("runroot")?["origin"]?["kind"]?.string == "default")
    #expect(value["files"]?.array?.compactMap(\.string) == [file])
    #expect(value["notes"]?.array?.first?["text"]?.string == "unknown key \"storage.options.colour\"")
    #expect(value["notes"]?.array?.first?["origin"]?["line"]?.integer == 9)
  }

  @Test func `A malformed file is reported as by any command`() throws {
    let bad = try store.file("bad.conf", "[storage]\ndriver = 1\n")
    let result = try explain([], [bad])
    #expect(
      result.outputText.hasPrefix("error initializing: decode configuration \"\(bad)\": toml: line 2, column 10 "),
      "\(result)")
    #expect(result.status == .exited(1))
  }

  @Test func `Only the help of stowage shows the option`() throws {
    let ours = try run([stowageItself().string, "config", "--help"], adding: store.environment)
    #expect(ours.outputText.contains("  --explain "))
    let help = try store.bare(["config", "--help"])
    #expect(!help.errorText.contains("--explain"), "\(help)")
    #expect(!help.errorText.contains("--json"))
  }
}
