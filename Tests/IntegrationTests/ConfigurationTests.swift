// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageTestSupport
import Testing

/// What configuration files do to commands: errors, and where values come from (configuration-and-idmaps 1–7, 20–22).
@Suite("Configuration") struct ConfigurationTests {
  private func failure(_ text: String) throws -> ProcessResult {
    let store = try CommandStore("vfs")
    let file = try store.file("bad.conf", text)
    // All options are given: the file stops the command nevertheless.
    var result = try store("layers", adding: ["CONTAINERS_STORAGE_CONF": file])
    result.output = Array(result.outputText.replacing(file, with: "FILE").utf8)
    result.error = Array(result.errorText.replacing(file, with: "FILE").utf8)
    return result
  }

  @Test(arguments: [
    ("junk[ ", "toml: line 1, column 5: expected '=' after a key"),
    ("[storage]\ndriver = vfs\n", "toml: line 2, column 10: 'vfs' is no value"),
    (
      "[storage]\ntransient_store = \"true\"\n",
      "toml: line 2, column 19 (last key \"storage.transient_store\"): incompatible types: TOML value has type string; "
        + "destination has type boolean"
    ),
    (
      "[storage.options]\nsize = 10\n",
      "toml: line 2, column 8 (last key \"storage.options.size\"): incompatible types: TOML value has type int64; "
        + "destination has type string"
    ),
    (
      "[storage.options]\nauto-userns-max-size = 4294967296\n",
      "toml: line 2, column 24 (last key \"storage.options.auto-userns-max-size\"): 4294967296 is out of range for uint32"
    ),
    (
      "[storage.options]\nadditionalimagestores = [ { add = true } ]\n",
      "toml: line 2, column 29 (last key \"storage.options.additionalimagestores\"): unsupported key \"add\" in map: "
        + "map[add:true]"
    ),
  ])
  func `A malformed file stops every command, with file, line and column`(text: String, reason: String) throws {
    let result = try failure(text)
    #expect(result.shows("error initializing: decode configuration \"FILE\": \(reason)\n", status: 1), "\(result)")
  }

  @Test func `A missing file, a directory and one that may not be read stop every command`() throws {
    let store = try CommandStore("vfs")
    let missing = try store("layers", adding: ["CONTAINERS_STORAGE_CONF": "/nonexistent"])
    #expect(
      missing.shows("error initializing: open /nonexistent: no such file or directory\n", status: 1), "\(missing)")
    let directory = try store("layers", adding: ["CONTAINERS_STORAGE_CONF_OVERRIDE": "/etc"])
    #expect(
      directory.shows(
        "error initializing: decode configuration \"/etc\": read /etc: is a directory\n", status: 1), "\(directory)")
  }

  @Test func `An image store that is the graph root is refused with both places`() throws {
    let store = try CommandStore("vfs")
    let root = store.graphRoot
    let file = try store.file("same.conf", "[storage]\nimagestore = \"\(root)\"\ngraphroot = \"\(root)\"\n")
    let result = try store.bare(["layers"], adding: ["CONTAINERS_STORAGE_CONF": file])
    let text =
      "error initializing: imagestore \(root) must either be not set or be different than graphroot "
      + "(imagestore: \(file):2:14, graphroot: \(file):3:13)\n"
    #expect(result.shows(text, status: 1), "\(result)")
  }

  @Test(.timeLimit(.minutes(1)))
  func `An image store or additional store on the command line that is the graph root counts as none`() throws {
    let store = try CommandStore("vfs")
    #expect(try store("create-layer", "-r", "--id", "l1").isSuccess)
    #expect(try store("create-image", "--id", "i1", "l1").isSuccess)
    for option in [["--image-store", store.graphRoot], ["--storage-opt", "vfs.imagestore=\(store.graphRoot)"]] {
      let images = try store.run(["images"] + option + ["-j"])
      #expect(try JSONValue(parsing: images.output).array?.map { $0["id"]?.string } == ["i1"], "\(images)")
      let layers = try store.run(["layers"] + option)
      #expect(layers.shows("l1\n\timage: i1\n"), "\(layers)")
    }
  }

  @Test func `A driver option of a file that is refused is shown with its place`() throws {
    let store = try CommandStore("vfs")
    let file = try store.file(
      "option.conf",
      "[storage]\ndriver = \"vfs\"\ngraphroot = \"\(store.graphRoot)\"\nrunroot = \"\(store.runRoot)\"\n"
        + "[storage.options]\nsize = \"10G\"\n")
    let result = try store.bare(["layers"], adding: ["CONTAINERS_STORAGE_CONF": file])
    #expect(
      result.shows(
        "error initializing: unknown option \"size\" (\"size=10G\")\n",
        error: "the option \"size=10G\" comes from \(file):6:8\n", status: 1), "\(result)")
    let driver = try store.file("driver.conf", "[storage]\ndriver = \"nosuch\"\n")
    let unknown = try store.bare(
      ["layers", "-g", store.graphRoot, "-R", store.runRoot], adding: ["CONTAINERS_STORAGE_CONF": driver])
    #expect(unknown.errorText.hasSuffix("\nthe driver \"nosuch\" comes from \(driver):2:10\n"), "\(unknown)")
  }

  @Test func `A root of a file that cannot be made is shown with its place`() throws {
    let store = try CommandStore("vfs")
    let obstacle = try store.file("obstacle", "")
    let file = try store.file(
      "root.conf", "[storage]\ndriver = \"vfs\"\nrunroot = \"\(obstacle)/run\"\ngraphroot = \"\(store.graphRoot)\"\n")
    let result = try store.bare(["layers"], adding: ["CONTAINERS_STORAGE_CONF": file])
    #expect(
      result.shows(
        "error initializing: mkdir \(obstacle): not a directory\n",
        error: "runroot \"\(obstacle)/run\" comes from \(file):3:11\n", status: 1), "\(result)")
  }

  @Test func `Unknown keys are no error and show with --debug`() throws {
    let store = try CommandStore("vfs")
    let file = try store.file(
      "unknown.conf", "foo = 1\n[storage.options]\ngraphroot = \"/x\"\n[storage.options.aufs]\na = 1\n")
    let result = try store("-D", "layers", adding: ["CONTAINERS_STORAGE_CONF": file])
    #expect(result.isSuccess)
    let keys = #"[\"foo\" \"storage.options.graphroot\" \"storage.options.aufs\"]"#
    #expect(result.errorText.contains(#"msg="Failed to decode the keys \#(keys) from \"\#(file)\"""#), "\(result)")
    #expect(result.errorText.contains(#"msg="\#(file):3:1: unknown key \"storage.options.graphroot\"""#), "\(result)")
    #expect(try store("layers", adding: ["CONTAINERS_STORAGE_CONF": file]).shows())
  }

  @Test func `Keys that the reference ignores are warned about`() throws {
    let store = try CommandStore("vfs")
    let file = try store.file(
      "ignored.conf",
      "[storage]\ndriver = \"vfs\"\ngraphroot = \"\(store.graphRoot)\"\nrunroot = \"\(store.runRoot)\"\n"
        + "[storage.options]\nimagestore = \"/i\"\n")
    let result = try store.bare(["config"], adding: ["CONTAINERS_STORAGE_CONF": file])
    #expect(!result.outputText.contains("imagestore"))
    #expect(
      result.errorText.contains(
        #"level=warning msg="\"storage.options.imagestore\" has no effect, use \"storage.imagestore\" (\#(file):6:14)""#
      ),
      "\(result)")
  }

  @Test(arguments: [
    ("", "\"driver\":\"overlay\",\"PullOptions\":null}"),
    ("imagestore = \"/srv/demo/i\"\n", "\"imagestore\":\"/srv/demo/i\",\"driver\":\"overlay\",\"PullOptions\":null}"),
    (
      "[storage.options]\nadditionallayerstores = [\"/srv/demo/als:ref\"]\n",
      "\"driver\":\"overlay\",\"driver-options\":[\"additionallayerstore=/srv/demo/als:ref\"],\"PullOptions\":null}"
    ),
    (
      "[storage.options.pull_options]\nostree_repos = \"<a>&b\"\nconvert_images = \"true\"\n",
      "\"driver\":\"overlay\",\"PullOptions\":{\"convert_images\":\"true\",\"ostree_repos\":\"\\u003ca\\u003e\\u0026b\"}}"
    ),
    ("transient_store = true\n", "\"driver\":\"overlay\",\"PullOptions\":null,\"transient_store\":true}"),
  ])
  func `The command config prints the reference's options for its sample configurations`(text: String, expected: String)
    throws
  {
    let store = try CommandStore("vfs")
    let roots = "[storage]\ndriver = \"overlay\"\ngraphroot = \"/srv/demo/g\"\nrunroot = \"/srv/demo/r\"\n"
    let file = try store.file("sample.conf", roots + text)
    // The flags keep the configured store from being opened.
    let result = try store("config", adding: ["CONTAINERS_STORAGE_CONF": file])
    #expect(result.shows("{\"runroot\":\"/srv/demo/r\",\"root\":\"/srv/demo/g\",\(expected)\n"), "\(result)")
  }

  @Test func `STORAGE_OPTS replaces configured driver options`() throws {
    let store = try CommandStore("vfs")
    let file = try store.file(
      "options.conf",
      "[storage]\ndriver = \"vfs\"\ngraphroot = \"\(store.graphRoot)\"\nrunroot = \"\(store.runRoot)\"\n"
        + "[storage.options.vfs]\nignore_chown_errors = \"true\"\n")
    func options(_ variables: [String: String]) throws -> [String]? {
      let result = try store.bare(
        ["config"], adding: variables.merging(["CONTAINERS_STORAGE_CONF": file]) { $1 })
      return try JSONValue(parsing: result.output)["driver-options"]?.array?.compactMap(\.string)
    }
    #expect(try options([:]) == ["vfs.ignore_chown_errors=true"])
    #expect(try options(["STORAGE_OPTS": ""]) == nil)
    #expect(try options(["STORAGE_OPTS": "overlay.a=b,overlay.c=d"]) == ["overlay.a=b", "overlay.c=d"])
  }
}
