// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageTestSupport
import SystemPackage
import Testing

/// Commands about the store as a whole, and where its options come from (cli 4, 8, 22 and 26.3, 26.4, 26.16).
@Suite("Store commands") struct StoreCommandTests {
  @Test func `Status goes to standard error, its JSON to standard output`() throws {
    let store = try CommandStore("vfs")
    let (g, r) = (store.graphRoot, store.runRoot)
    #expect(try store("status").shows(error: "Root: \(g)\nRun Root: \(r)\nDriver Name: vfs\nDriver Options: []\n"))
    #expect(
      try store("status", "-j").shows(
        "[[\"Root\",\"\(g)\"],[\"Run Root\",\"\(r)\"],[\"Driver Name\",\"vfs\"],[\"Driver Options\",\"[]\"]]\n"))
  }

  @Test(.tags(.root), .enabled(if: isRoot, "overlay needs root"))
  func `Status of overlay ends with what the driver found`() throws {
    let store = try CommandStore("overlay")
    let keys = try store("status").errorText.split(separator: "\n").map { String($0.prefix { $0 != ":" }) }
    #expect(
      keys == [
        "Root", "Run Root", "Driver Name", "Driver Options", "Backing Filesystem", "Supports d_type",
        "Native Overlay Diff", "Using metacopy", "Supports shifting", "Supports volatile",
      ])
  }

  #if STOWAGE_HOOKS
    /// Start-up is most of what a small command takes: it may look whether everything is there, but changes nothing.
    @Test(.tags(.driver), arguments: Drivers.all) func `Reading a store that is there writes nothing`(driver: String)
      throws
    {
      let store = try CommandStore(driver, program: stowageExecutable(hasHooks: true).string)
      #expect(try store("create-layer", "--id", "base").isSuccess)
      #expect(try store("layers").isSuccess)
      for (command, limit) in [("version", 21), ("images", 22), ("layers", 32)] {
        let file = store.directory.appending("steps-\(command)")
        #expect(try store(command, adding: ["STOWAGE_FAULT": "count=\(file)"]).isSuccess)
        let steps = try file.readText().split(separator: "\n").map { $0.split(separator: " ")[1] }
        #expect(Set(steps).isSubset(of: ["mkdir", "open", "mount"]), "\(command): \(steps)")
        #expect(steps.count <= limit, "\(command): \(steps)")
      }
    }
  #endif

  @Test func `The version is that of the reference`() throws {
    let store = try CommandStore("vfs")
    #expect(try store("version").shows(error: "Version: \(stowageFormatVersion)\n"))
    #expect(try store("version", "--json").shows("[[\"Version\",\"1.64.0-dev\"]]\n"))
  }

  @Test func `Debug output begins with the four lines of the program`() throws {
    let store = try CommandStore("vfs")
    let start = #/^time="\d\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ" level=debug msg=(.*)$/#
    for words in [["-D", "layers"], ["layers", "-D"]] {
      let result = try store.run(words)
      let messages = result.errorText.split(separator: "\n").prefix(4).compactMap { line in
        (try? start.wholeMatch(in: line)).flatMap { $0 }.map { String($0.output.1) }
      }
      #expect(
        messages == [
          "\"Root: \(store.graphRoot)\"", "\"Run Root: \(store.runRoot)\"", "\"Driver Name: vfs\"",
          "\"Driver Options: []\"",
        ], "\(result)")
      #expect(result.outputText.isEmpty)
    }
    #expect(try store("--debug", "layers", "--debug=false").shows())
  }

  @Test func `Store options come from the configuration if none of the four is before the command`() throws {
    let store = try CommandStore("vfs")
    let (g, r) = (store.graphRoot, store.runRoot)
    #expect(try store.bare(["status"]).errorText.hasPrefix("Root: \(g)\nRun Root: \(r)\nDriver Name: vfs\n"))
    let other = store.directory.appending("other").string
    let behind = try store.bare(["status", "-g", other])
    #expect(behind.errorText.hasPrefix("Root: \(other)\nRun Root: \(r)\nDriver Name: vfs\n"), "\(behind)")
    let before = try store.bare(["-g", other, "status", "-s", "vfs"])
    #expect(before.errorText.hasPrefix("Root: \(other)\nRun Root: \(r)\nDriver Name: vfs\n"), "\(before)")
    let options = try store.bare(["status"], adding: ["STORAGE_OPTS": "x=1"])
    #expect(options.shows("error initializing: unknown option \"x\" (\"x=1\")\n", status: 1), "\(options)")
    let unknown = try store.bare(["status"], adding: ["STORAGE_DRIVER": "nosuch"])
    #expect(
      unknown.outputText == "error initializing: failed to GetDriver graph nosuch \(g): driver not supported\n",
      "\(unknown)")
    #expect(unknown.errorText.hasSuffix(" level=error msg=\"Failed to GetDriver graph nosuch \(g)\"\n"))
  }

  @Test(arguments: [
    ("a=b", "unknown option \"a\" (\"a=b\")"), ("vfs.x=1", "unknown option \"x\" (\"vfs.x=1\")"),
    ("x", "unable to parse key/value option: x"), ("vfs.mountopt=nodev", "vfs driver does not support mount options"),
  ])
  func `Driver options are checked when the store is opened`(option: String, text: String) throws {
    let store = try CommandStore("vfs")
    let result = try store("layers", "--storage-opt", option)
    #expect(result.shows("error initializing: \(text)\n", status: 1), "\(result)")
  }

  @Test func `The command config prints the defaults, and those of a file`() throws {
    let store = try CommandStore("vfs")
    #expect(
      try store("config").shows(
        "{\"runroot\":\"\(store.runRoot)\",\"root\":\"\(store.graphRoot)\",\"driver\":\"vfs\",\"PullOptions\":null}\n"))
    let file = try store.file("other.conf", "[storage]\ndriver = \"vfs\"\nrunroot = \"/cr\"\ngraphroot = \"/cg\"\n")
    let result = try store("config", file)
    #expect(
      result.shows("{\"runroot\":\"/cr\",\"root\":\"/cg\",\"driver\":\"vfs\",\"PullOptions\":null}\n"), "\(result)")
  }

  @Test func `An image store given alone before the command counts`() throws {
    let store = try CommandStore("vfs")
    let images = store.directory.appending("i").string
    #expect(try store.bare(["--image-store", images, "create-layer", "-r", "--id", "x1"]).shows("x1\n"))
    #expect(store.directory.appending("i").exists)
  }

  @Test func `A reader that goes away ends the command with an error`() throws {
    let store = try CommandStore("vfs")
    let script =
      "exec 3>&1; { CONTAINERS_STORAGE_CONF=\(store.configuration) \(store.program) config; echo $? >&3; } | true"
    let result = try run(["/bin/sh", "-c", "sleep 0; \(script)"])
    #expect(["0\n", "1\n"].contains(result.outputText), "\(result)")
  }
}
