// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// The verbs of `stowage` that change something or measure the disk: texts, streams and statuses.
@Suite("Everyday verbs that change and measure") struct EverydayChangesTests {
  /// The program under its own name.
  private static func program() throws -> String {
    try stowageItself().string
  }

  /// A store with two images on one layer, `localhost/one:1` and `localhost/two:1`, and one without name.
  private static func store(_ driver: String = "vfs") throws -> CommandStore {
    let store = try CommandStore(driver, program: try program())
    try store("create-layer", "--id", "base")
    for name in ["one", "two"] { try store("create-image", "--id", name, "-n", "localhost/\(name):1", "base") }
    try store("create-image", "--id", "bare", "base")
    return store
  }

  @Test func `The command rm tells what went and what it freed, and refuses by status`() throws {
    let store = try Self.store()
    let id = try store("create", "one:1", "web").outputText.trimmed
    let used = try store("rm", "localhost/one:1")
    #expect(
      used.shows(
        error: "image \"localhost/one:1\" is used by container \"web\" (\(id.prefix(12))): remove that first, with "
          + "\"stowage rm web\" or the program that made it\n", status: 2), "\(used)")
    let missing = try store("rm", "two:1", "localhost/two:1")
    #expect(
      missing.shows(
        error: "no image or container has exactly the name or ID \"two:1\"; did you mean localhost/two:1?\n"
          + "nothing was removed\n", status: 1), "\(missing)")
    #expect(try store("rm", "nope", "localhost/one:1").status == .exited(2))
    let dry = try store("rm", "--dry-run", "web", "localhost/one:1")
    #expect(
      dry.outputText.hasPrefix(
        "Would delete: container \(id) (web)\nWould untag: localhost/one:1\nWould delete: image one\nWould free: "),
      "\(dry)")
    let gone = try store("rm", "web", "localhost/one:1")
    #expect(
      gone.outputText
        == dry.outputText.replacing("Would delete", with: "Deleted")
        .replacing("Would untag", with: "Untagged").replacing("Would free", with: "Freed"), "\(gone)")
    #expect(try store("rm", "-i", "nope").shows("Freed: 0 B\n"))
    #expect(try store("rm", "-q", "localhost/two:1").shows("two\n"))
    let json = try store("rm", "--json", "bare")
    #expect(json.outputText.contains(#""dry-run":false"#) && json.outputText.contains(#""layers":["base"]"#), "\(json)")
    #expect(try store("images").shows() && store("layers").shows())
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `A mounted container is deleted with --force only, under both names`(driver: String) throws {
    let store = try Self.store(driver)
    try store("create", "one:1", "web")
    let path = try store("mount", "web").outputText.trimmed
    let refused =
      "container \"web\" is mounted at \(path): unmount it first, or use --force to delete it all the same\n"
    #expect(try store("delete-container", "web").shows(error: "web: " + refused, status: 1))
    #expect(try store("rm", "web").shows(error: refused, status: 2))
    #expect(try store("unmount", "--all").shows("web mountpoint unmounted\n"))
    #expect(try store("unmount", "-a", "-j").shows("[]\n"))
    try store("mount", "web")
    try store("mount", "web")
    #expect(
      try store("mounted", "-j", "web", "base", "nope").shows(
        #"[{"error":"","id":"web","mounted":true},{"error":"","id":"base","mounted":false},"#
          + #"{"error":"layer not known","id":"nope","mounted":null}]"# + "\n", status: 1))
    #expect(try store("unmount", "-j", "web").shows(#"[{"error":"","id":"web","mounted":true}]"# + "\n"))
    #expect(try store("unmount", "-j", "web").shows(#"[{"error":"","id":"web","mounted":false}]"# + "\n"))
    try store("mount", "web")
    #expect(try store("delete-container", "--force", "web").shows())
    #expect(try store("containers").shows())
  }

  @Test func `Names are given and taken with a word about what moves`() throws {
    let store = try Self.store()
    #expect(try store("tag", "one:1", "new").shows())
    #expect(
      try store("tag", "one:1", "two:1").shows(
        error: "localhost/two:1 moved from image two, which has no name any more: \"stowage prune\" deletes it\n"))
    #expect(try store("get-names", "one").shows("localhost/two:1\nlocalhost/new:latest\nlocalhost/one:1\n"))
    let invalid = try store("tag", "one:1", "UPPER")
    #expect(invalid.shows(error: "image name \"UPPER\": repository name must be lowercase\n", status: 1), "\(invalid)")
    let missing = try store("untag", "one:1", "nope")
    #expect(
      missing.shows(
        error: "image one does not have the name localhost/nope:latest: its names are localhost/two:1, "
          + "localhost/new:latest, localhost/one:1\n", status: 1), "\(missing)")
    #expect(try !store("untag", "one:1").isSuccess)
    #expect(try store("untag", "one:1", "new").shows() && store("untag", "--all", "one:1").shows())
    #expect(try store("get-names", "one").shows())
  }

  @Test func `The older verbs of names and metadata refuse what changes nothing`() throws {
    let store = try Self.store()
    #expect(try store("add-names", "one").errorText.contains("add-names needs names: give each with --name"))
    #expect(try store("add-names", "-n", "UPPER", "one").errorText.contains("must be lowercase"))
    #expect(
      try store("add-names", "-n", "localhost/two:1", "one").shows(error: "localhost/two:1 moved from image two\n"))
    #expect(
      try store("remove-names", "-n", "nope", "one").shows(
        error: "one does not have the name nope: its names are localhost/two:1, localhost/one:1\n", status: 1))
    #expect(try store("remove-names", "-n", "localhost/two:1", "one").shows())
    #expect(try store("set-names", "-n", "localhost/one:2", "one").shows())
    let metadata = try store("metadata", "one", "nope")
    #expect(metadata.errorText == "nope: no layer, image or container has this name or ID\n", "\(metadata)")
    #expect(metadata.status == .exited(1))
  }

  @Test(.tags(.driver, .root), .enabled(if: isRoot, "mounts"))
  func `A mounted image is neither pruned nor removed without force`() throws {
    let store = try CommandStore("overlay", program: stowageItself().string)
    #expect(try store("create-layer", "-i", "lay").isSuccess)
    #expect(try store("create-image", "-i", "im", "-n", "localhost/im:1", "lay").isSuccess)
    let path = try store("mount", "-r", "localhost/im:1").outputText.dropLast()
    let refused = try store("rm", "localhost/im:1")
    #expect(refused.status == .exited(2) && refused.errorText.contains("is mounted at \(path)"), "\(refused)")
    #expect(try store("prune", "--all", "--force", "-q").shows())
    #expect(try store("exists", "im", "lay").isSuccess)
    #expect(try store("unmount", "--all").isSuccess)
    #expect(try store("prune", "--all", "--force", "-q").shows("im\n"))
  }

  @Test func `What a container of another graph root needs is not removed, with force neither`() throws {
    let store = try CommandStore("vfs", program: stowageItself().string)
    let split = ["--image-store", store.imageStore]
    #expect(try store.run(["create-layer", "-i", "lay", "-r"] + split).isSuccess)
    #expect(try store.run(["create-image", "-i", "im", "-n", "localhost/im:1", "lay"] + split).isSuccess)
    #expect(try store.run(["create-container", "-n", "web", "im"] + split).isSuccess)
    let other = store.directory.appending("other").string
    func elsewhere(_ words: String...) throws -> ProcessResult {
      try store.bare(["-g", other, "-R", other + "-run", "-s", "vfs"] + split + words)
    }
    #expect(try elsewhere("ls", "-q").shows("im\n"))
    for words in [["rm", "localhost/im:1"], ["rm", "-f", "localhost/im:1"], ["rm", "-f", "im"]] {
      let refused = try store.bare(["-g", other, "-R", other + "-run", "-s", "vfs"] + split + words)
      #expect(refused.status == .exited(2) && refused.errorText.contains(store.graphRoot), "\(words): \(refused)")
    }
    #expect(try elsewhere("prune", "--all", "--force", "-q").shows())
    #expect(try store.run(["exists", "im", "lay"] + split).isSuccess)
  }

  @Test(.tags(.root), .enabled(if: isRoot, "overlay mounts need root"))
  func `A mount of an image that is gone can be ended, and nothing else is unmounted for a count that says so`() throws
  {
    let store = try CommandStore("overlay", program: stowageItself().string)
    try #require(try store("create-layer", "-i", "lay", "-r").isSuccess)
    try #require(try store("create-image", "-i", "im", "-n", "localhost/im:1", "lay").isSuccess)
    let path = try store("mount", "-r", "localhost/im:1").outputText.dropLast()
    // As if another graph root of the same image store had deleted it.
    try store.editRecords(of: "images") { _ in "[]" }
    try store.editRecords(of: "layers") { _ in "[]" }
    #expect(try store("unmount", "--all").shows("lay mountpoint unmounted\n"))
    #expect(try !run("cat", "/proc/self/mountinfo").outputText.contains(" \(path) "))
    let other = store.directory.appending("lay").string
    _ = try run("mkdir", other)
    _ = try run("mount", "-t", "tmpfs", "none", other)
    defer { _ = try? run("umount", other) }
    try FilePath("\(store.runRoot)/overlay-layers/mountpoints.json").write(
      #"[{"id":"lay","path":"\#(other)","count":1}]"#)
    #expect(try store("unmount", "--all", "-f").status == .exited(1))
    #expect(try run("cat", "/proc/self/mountinfo").outputText.contains(" \(other) "))
  }

  @Test func `An image that a transient container uses is deleted by nobody who does not see that container`() throws {
    let store = try Self.store()
    #expect(try store("create", "--transient-store", "one:1", "passing").isSuccess)
    #expect(try store("rm", "localhost/one:1").status == .exited(2))
    #expect(try store("delete-image", "one").errorText.contains("used by"))
    #expect(try store("prune", "--all", "--force", "-q").outputText.split(separator: "\n").sorted() == ["bare", "two"])
    #expect(try store("exists", "one", "base").isSuccess)
    #expect(try store("rm", "--transient-store", "passing").isSuccess)
    #expect(try store("prune", "--all", "--force", "-q").shows("one\n"))
  }

  @Test func `The command prune asks, or wants to be forced, and tells what it freed`() throws {
    let store = try Self.store()
    let refused = try store("prune")
    #expect(
      refused.shows(
        error: "1 image would be deleted, and there is no terminal to ask on: use --force, or --dry-run to see them\n",
        status: 125), "\(refused)")
    #expect(try store("prune", "--dry-run").outputText.hasPrefix("Would delete: image bare\nWould free: "))
    #expect(try store("prune", "--force", "-q").shows("bare\n"))
    #expect(try store("prune").shows("Freed: 0 B\n"))
    #expect(try store("prune", "--filter", "x=1").errorText.contains("must be until=TIME, label="))
    #expect(try store("prune", "--keep-storage", "x").errorText.contains("20G"))
    for time in ["-1h", "-5", "soon", ""] {
      let refused = try store("prune", "--all", "--force", "--filter", "until=\(time)")
      #expect(
        refused.shows(
          error: "--filter until=\(time): a span such as 24h or 90m, or a time such as 2026-01-31T00:00:00Z\n",
          status: 125), "\(refused)")
    }
    #expect(try store("prune", "--all", "--force", "--filter", "until=24h").shows("Freed: 0 B\n"))
    #expect(try store("prune", "--all", "--force", "-q").outputText.split(separator: "\n").sorted() == ["one", "two"])
  }

  @Test func `Containers of other programs are removed by these, or by force`() throws {
    let store = try Self.store()
    let metadata = #"{"image-name":"localhost/one:1","image-id":"one","name":"web"}"#
    #expect(try store("create-container", "-i", "theirs", "-n", "web", "-m", metadata, "one").isSuccess)
    let refused = try store("rm", "web")
    #expect(refused.status == .exited(2) && refused.errorText.contains("\"podman rm web\""), "\(refused)")
    #expect(try store("exists", "web").isSuccess)
    #expect(try store("rm", "--force", "web").isSuccess)
    #expect(try !store("exists", "web").isSuccess)
  }

  @Test func `An image that another program has recorded and not named yet stays for a moment`() throws {
    let store = try Self.store()
    let data = store.directory.appending("manifest")
    try data.write("{}")
    #expect(try store("set-image-data", "-f", data.string, "bare", "manifest").isSuccess)
    #expect(try store("prune", "--force", "-q").shows())
    #expect(try store("exists", "bare").isSuccess)
    // What has a name is no image that is being made.
    #expect(try store("set-image-data", "-f", data.string, "two", "manifest").isSuccess)
    #expect(try store("prune", "--all", "--force", "-q").outputText.split(separator: "\n").sorted() == ["one", "two"])
    #expect(try store("prune", "--force", "-q", "--filter", "until=0s").shows("bare\n"))
  }

  @Test func `The command create says who has the name, and which names can be`() throws {
    let store = try Self.store()
    let id = try store("create", "two:1", "web").outputText.trimmed
    #expect(id.count == 64)
    let taken = try store("create", "two:1", "web")
    #expect(
      taken.shows(
        error: "the name \"web\" is taken by container \(id.prefix(12)): choose another one, or remove that with "
          + "\"stowage rm web\"\n", status: 1), "\(taken)")
    #expect(try store("create", "two:1", "-x").isSuccess == false)
    #expect(try store("create", "two:1", "a b").errorText.contains("letters, digits"))
    #expect(try store("create", "nope").status == .exited(1))
    try store("set-names", "-n", "docker.io/library/big:1", "bare")
    #expect(
      try store("create", "big").shows(
        error: "no image has the name or ID \"big\"; did you mean docker.io/library/big:1?\n", status: 1))
    #expect(try store("rm", "big").errorText.hasSuffix("\"big\"; did you mean docker.io/library/big:1?\n"))
  }

  @Test func `The command df shows each part, in JSON all of it, with the total of du`() throws {
    let store = try Self.store()
    try store("create", "one:1", "web")
    let text = try store("df", "-v").outputText
    for word in [
      "Images", "Containers", "Other layers", "Left-overs", "Downloads", "Records", "Total", "localhost/one:1", "web",
    ] {
      #expect(text.contains(word), "\(word) in \(text)")
    }
    let du = try shell("du --block-size=1 -s \(store.graphRoot) \(store.runRoot) | awk '{s += $1} END {print s}'")
      .outputText.trimmed
    let json = try store("df", "--json").outputText
    #expect(json.hasPrefix(#"{"bytes":\#(du),"#), "\(json), du \(du)")
  }

  @Test func `The command info shows versions, driver, places and files`() throws {
    let store = try Self.store()
    let text = try store("info").outputText
    for word in [
      "stowage ", "kernel", "driver", "vfs", store.graphRoot, store.runRoot, store.configuration, "images: 3",
    ] {
      #expect(text.contains(word), "\(word) in \(text)")
    }
    let json = try store("info", "--json").outputText
    #expect(
      json.contains(#""name":"vfs""#) && json.contains(#""configuration":["\#(store.configuration)"]"#), "\(json)")
  }
}

extension String {
  fileprivate var trimmed: String { split(separator: "\n").first.map(String.init) ?? "" }
}
