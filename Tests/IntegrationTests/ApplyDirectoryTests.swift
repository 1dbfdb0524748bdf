// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// `applydiff-using-staging-dir` (cli 18.5, chunked-and-composefs 1.5, 2.1, 2.2 and 2.8).
@Suite("A layer of a directory") struct ApplyDirectoryTests {
  private let source = """
    mkdir -p src/d && cd src && printf hello >d/f && : >empty && ln -s f d/link && chmod 4750 d/f && mkfifo pipe \
      && touch -h -d 2020-01-01T01:02:03 d/* d empty pipe && chown -h 7:8 d/link
    """

  /// A store that the configuration alone describes: options for it would keep pull options from counting.
  private func makeStore(_ driver: String, pullOptions: String?) throws -> CommandStore {
    let store = try CommandStore(driver)
    _ = try store.file(
      "storage.conf",
      "[storage]\ndriver = \"\(driver)\"\ngraphroot = \"\(store.graphRoot)\"\nrunroot = \"\(store.runRoot)\"\n"
        + (pullOptions.map { "[storage.options.pull_options]\n\($0)\n" } ?? ""))
    try shell(source, store)
    return store
  }

  @discardableResult
  private func shell(_ script: String, _ store: CommandStore) throws -> String {
    let result = try run(["/bin/sh", "-ec", script], adding: store.environment, directory: store.directory.path)
    try #require(result.isSuccess, "\(result)")
    return result.outputText
  }

  private let enabled = "enable_partial_images = \"True\""

  @Test(.tags(.root, .interop), .enabled(if: isRoot, "overlay needs root"))
  func `The record is that of a partial pull, with its table of contents`() throws {
    let store = try makeStore("overlay", pullOptions: enabled)
    #expect(try store.bare(["applydiff-using-staging-dir", "n1", "src"]).shows())
    // Written out as the reference does it: `d/`, `d/f`, `d/link`, `empty` and `pipe` have a block each, the content of
    // `d/f` one, and two end the archive.
    let size = 8 * 512
    let record = try store.bare(["layer", "-j", "n1"]).outputText
    // Put together again by Debian's program.
    let digest = try shell("timeout 20 containers-storage diff -u n1 | sha256sum", store).prefix(64)
    let text = record.replacing(#/"created":"[^"]*"/#, with: "").replacing(
      #/"toc-digest":"sha256:[0-9a-f]{64}"/#, with: "TOC")
    #expect(
      text
        == "[{\"id\":\"n1\",,\"diff-digest\":\"sha256:\(digest)\",TOC,\"diff-size\":\(size),\"uidset\":[0,7],\"gidset\":[0,8],"
        + "\"big-data-names\":[\"zstd-chunked-manifest\",\"zstd-chunked-layer-data\"]}]\n", "\(record)")
    #expect(try store.bare(["get-layer-data", "n1", "zstd-chunked-layer-data"]).shows("{\"format\":0}"))
    let hello = try shell("printf hello | sha256sum", store).prefix(64)
    let table = try shell(
      "'\(store.program)' get-layer-data n1 zstd-chunked-manifest "
        + "| jq -c '.version, (.entries[] | [.type, .name, .linkName, .mode, .size, .digest])'", store)
    #expect(
      table == """
        1
        ["dir","d/",null,493,null,null]
        ["reg","d/f",null,2536,5,"sha256:\(hello)"]
        ["symlink","d/link","f",511,null,null]
        ["reg","empty",null,420,null,null]
        ["fifo","pipe",null,420,null,null]

        """)
  }

  @Test(.tags(.root), .enabled(if: isRoot, "overlay needs root")) func `The content is the directory's`() throws {
    let store = try makeStore("overlay", pullOptions: enabled)
    #expect(try store.bare(["applydiff-using-staging-dir", "n1", "src"]).shows())
    let list =
      "find . -mindepth 1 \\( -type d -printf '%P %y %m %U:%G %T@\\n' -o -printf '%P %y %m %U:%G %s %T@ %l\\n' \\) | sort"
    let expected = try shell("cd src && \(list)", store)
    // The size of a directory is the file system's matter.
    let made = try shell("cd '\(store.graphRoot)/overlay/n1/diff' && \(list)", store)
    #expect(made == expected)
    #expect(try shell("stat -c %a '\(store.graphRoot)/overlay/n1/diff'", store) == "555\n")
    #expect(
      try shell(
        "cd '\(store.graphRoot)' && find overlay/staging overlay/tempdirs overlay-layers/tmp -mindepth 1 2>/dev/null || true",
        store
      ).allSatisfy(\.isWhitespace))
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `Disabled partial images and drivers without them are refused`(driver: String) throws {
    let command = ["applydiff-using-staging-dir", "n1", "src"]
    let disabled = try makeStore(driver, pullOptions: nil)
    #expect(try disabled.bare(command).shows(error: "partial images are disabled\n", status: 1))
    let off = try makeStore(driver, pullOptions: "enable_partial_images = \"false\"")
    #expect(try off.bare(command).shows(error: "partial images are disabled\n", status: 1))
    let enabled = try makeStore(driver, pullOptions: enabled)
    // Options that describe the store keep those of the configuration from counting.
    #expect(try enabled.run(command).shows(error: "partial images are disabled\n", status: 1))
    #expect(try enabled.bare(["layers"]).shows())
    guard driver == "vfs" else { return }
    #expect(try enabled.bare(command).shows(error: "graph driver vfs does not support partial pull\n", status: 1))
    let converting = try makeStore(driver, pullOptions: "\(self.enabled)\nconvert_images = \"true\"")
    #expect(
      try converting.bare(command).shows(
        error: "graph driver vfs does not support partial pull but convert_images requires that\n", status: 1))
  }

  @Test(.tags(.root), .enabled(if: isRoot, "overlay needs root"))
  func `A missing directory makes no layer, and a layer with content stays as it is`() throws {
    let store = try makeStore("overlay", pullOptions: enabled)
    _ = try store.bare(["create-layer", "--id", "old", "-n", "name"])
    try shell("echo kept >'\(store.graphRoot)/overlay/old/diff/file'", store)
    let before = try store.bare(["layers", "-j"]).outputText
    #expect(
      try store.bare(["applydiff-using-staging-dir", "n1", "nowhere"]).shows(
        error: "open nowhere: no such file or directory\n", status: 1))
    #expect(
      try store.bare(["applydiff-using-staging-dir", "n1", "src/empty"]).shows(
        error: "open src/empty: not a directory\n", status: 1))
    #expect(
      try store.bare(["applydiff-using-staging-dir", "old", "src"]).shows(
        error: "that ID is already in use\n", status: 1))
    #expect(
      try store.bare(["applydiff-using-staging-dir", "name", "src"]).shows(
        error: "that name is already in use\n", status: 1))
    #expect(try store.bare(["layers", "-j"]).outputText == before)
    #expect(try shell("ls -A '\(store.graphRoot)/overlay/old/diff'", store) == "file\n")
    // A layer that is empty gets the content, and is then as a new one would be.
    _ = try store.bare(["create-layer", "--id", "blank", "-n", "page"])
    #expect(try store.bare(["applydiff-using-staging-dir", "page", "src"]).shows())
    #expect(try store.bare(["applydiff-using-staging-dir", "new", "src"]).shows())
    let record = { (id: String) in
      try store.bare(["layer", "-j", id]).outputText.replacing(#/"created":"[^"]*"/#, with: "")
        .replacing("\"id\":\"\(id)\"", with: "").replacing("\"names\":[\"page\"],", with: "")
    }
    #expect(try record("blank") == record("new"))
    #expect(try record("blank").contains("toc-digest"))
    let tree = { (id: String) in
      try self.shell(
        "cd '\(store.graphRoot)/overlay/\(id)/diff' && find . -mindepth 1 -printf '%p %y %m %U %s %T@ %l\\n' | sort",
        store)
    }
    #expect(try tree("blank") == tree("new"))
    #expect(
      try store.bare(["applydiff-using-staging-dir", "blank", "src"]).shows(
        error: "that ID is already in use\n", status: 1))
    // A layer is meant by its whole identifier: the reference takes a prefix of another one for that.
    #expect(try store.bare(["applydiff-using-staging-dir", "ol", "src"]).shows())
    #expect(try shell("ls -A '\(store.graphRoot)/overlay/old/diff'", store) == "file\n")
  }
}
