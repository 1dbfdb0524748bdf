// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Import, diff, changes and sizes (cli 16.3, 18.1–18.4 and 26.9).
@Suite("Diff commands", .tags(.root), .enabled(if: isRoot, "the sample layers have owners and devices"))
struct DiffCommandTests {
  private let samples = ["l1.tar", "l2.tar.gz", "l3.tar.zst"].map { fixture("samples/\($0)").string }

  @Test(.tags(.driver), arguments: Drivers.all) func `A layer comes back as the bytes that were imported`(
    driver: String
  )
    throws
  {
    let store = try CommandStore(driver)
    #expect(try store("import-layer", "--id", "a", "-f", samples[0]).shows("a\n"))
    #expect(try store("importlayer", "--id", "b", "-f", samples[1], "a").shows("b\n"))
    #expect(try store("import-layer", "--id", "c", input: try FilePath(samples[2]).readBytes()).shows("c\n"))
    let tar = try FilePath(samples[0]).readBytes()
    #expect(try store("diff", "-u", "a").output == tar)
    #expect(try store("diff", "a").output == tar)
    let file = store.directory.appending("out")
    #expect(try store("diff", "-uf", file.string, "a").shows())
    #expect(try file.readBytes() == tar)
    // Recorded as gzip, so it comes back as gzip.
    #expect(try Array(store("diff", "b").output.prefix(2)) == [0x1f, 0x8b])
    let plain = try run("gzip", "-dc", samples[1])
    #expect(try store("diff", "-u", "b").output == plain.output)
    #expect(try Array(store("diff", "-uc", "a").output.prefix(2)) == [0x1f, 0x8b])
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `Digests, sizes and owners of an import are recorded`(
    driver: String
  )
    throws
  {
    let store = try CommandStore(driver)
    let result = try store("import-layer", "-j", "--id", "b", "-f", samples[1]).normalized
    #expect(
      result.shows(
        "{\"id\":\"b\",\"created\":\"…\",\"compressed-diff-digest\":\"sha256:<64>\",\"compressed-size\":212,"
          + "\"diff-digest\":\"sha256:<64>\",\"diff-size\":10240,\"compression\":2,\"uidset\":[0],\"gidset\":[0]}\n"),
      "\(result)")
    let empty = try store("import-layer", "-j", "--id", "e")
    #expect(
      empty.outputText.contains(
        "\"diff-digest\":\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}"), "\(empty)")
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `Changes are listed sorted on overlay, in any driver completely`(driver: String) throws {
    let store = try CommandStore(driver)
    try store("import-layer", "--id", "a", "-f", samples[0])
    try store("import-layer", "--id", "b", "-f", samples[1], "a")
    let result = try store("changes", "b")
    // Overlay sees that the opaque directory is new; the comparison of trees sees its content vanish.
    let expected =
      driver == "overlay"
      ? ["Add \"/dir/two\"", "Add \"/opq/new\"", "Delete \"/dir/gone\"", "Delete \"/opq\"", "Modify \"/dir\""]
      : [
        "Add \"/dir/two\"", "Add \"/opq/new\"", "Delete \"/dir/gone\"", "Delete \"/opq/old\"", "Modify \"/dir\"",
        "Modify \"/opq\"",
      ]
    #expect(result.outputText.split(separator: "\n").map(String.init).sorted() == expected, "\(result)")
    let odd = try store("changes", "a").outputText
    #expect(odd.contains("Add \"/odd-\\xff\\xfe-name\"\n"), "\(odd)")
    #expect(try store("changes", "-j", "a").outputText.contains("{\"Path\":\"/odd-\u{FFFD}\u{FFFD}-name\",\"Kind\":1}"))
    try store("create-layer", "--id", "n", "a")
    #expect(try store("changes", "-j", "n").shows("null\n"))
    #expect(try store("diffsize", "b").shows("8\n"))
    #expect(try store("diff-size", "a").shows("5022\n"))
  }

  @Test func `Failures name the file or the layer`() throws {
    let store = try CommandStore("vfs")
    try store("create-layer", "--id", "x1")
    let missing = "open /nonexistent/x: no such file or directory\n"
    #expect(try store("import-layer", "-f", "/nonexistent/x", "nope").shows(error: missing, status: 1))
    #expect(try store("applydiff", "-f", "/nonexistent/x", "nope").shows(error: missing, status: 1))
    #expect(try store("diff", "-f", "/nonexistent/x", "x1").shows(error: missing, status: 1))
    for words in [
      ["changes", "nope"], ["diff", "nope"], ["diffsize", "nope"], ["applydiff", "nope"], ["import-layer", "nope"],
    ] {
      #expect(try store.run(words).shows(error: "layer not known\n", status: 1), "\(words)")
    }
    #expect(try store("diff", "--bzip2", "x1").shows(error: "unsupported compression format tar.bz2\n", status: 1))
    #expect(try store("diff", "--xz", "-c", "x1").shows(error: "unsupported compression format tar.xz\n", status: 1))
  }

  @Test func `An output file is left alone if the layer is unknown`() throws {
    let store = try CommandStore("vfs")
    let path = try store.file("keep", "content")
    #expect(try store("diff", "-f", path, "nope").shows(error: "layer not known\n", status: 1))
    #expect(try store.directory.appending("keep").readText() == "content")
  }

  @Test func `An unknown reference layer is an error`() throws {
    let store = try CommandStore("vfs")
    try store("create-layer", "--id", "a")
    try store("create-layer", "--id", "b", "a")
    for command in ["changes", "diff", "diffsize"] {
      #expect(try store(command, "b", "nope").shows(error: "layer not known\n", status: 1), "\(command)")
    }
    #expect(try store("changes", "b", "a").shows())
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `What is no archive leaves no layer`(driver: String) throws {
    let store = try CommandStore(driver)
    let path = try store.file("junk", "notatar\n")
    let result = try store("import-layer", "--id", "x", "-f", path)
    let text =
      driver == "vfs"
      ? "ApplyLayer stdout:  stderr: unexpected EOF exit status 1\n"
      : "unpacking failed (error: exit status 1; output: unexpected EOF)\n"
        + "exhausting input failed (error: unexpected EOF)\n"
    #expect(result.errorText.hasSuffix(text), "\(result)")
    #expect(result.outputText.isEmpty)
    #expect(result.status == .exited(1))
    #expect(try store("layers", "-j").shows("null\n"))
    #expect(try store("storage-layers").shows())
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `The command applydiff puts a diff onto a layer, again and again`(
    driver: String
  )
    throws
  {
    let store = try CommandStore(driver)
    try store("create-layer", "--id", "x1")
    #expect(try store("applydiff", "-f", samples[2], "x1").shows())
    #expect(try store("apply-diff", "x1", input: try FilePath(samples[2]).readBytes()).shows())
    #expect(try store("diffsize", "x1").shows("6\n"))
    #expect(try store("layer", "-j", "x1").outputText.contains("\"compression\":4"))
  }

  @Test(.tags(.driver, .slow), arguments: Drivers.all, [Int32(1), 2, 15])
  func `An import that is interrupted leaves nothing`(driver: String, signal: Int32) throws {
    let store = try CommandStore(driver)
    try store("create-layer", "--id", "x1")
    // The pipe stays open, so the import waits for the rest of the archive.
    let path = store.directory.appending("pipe")
    _ = try run("mkfifo", path.string)
    let pipe = try Syscall.open(path, [.readWrite])
    let beginning = try FilePath(samples[0]).readBytes().prefix(1000)
    try Array(beginning).withUnsafeBytes { try Syscall.write(pipe.rawValue, all: $0) }
    let process = try store.start("import-layer", "--id", "x", "-f", path.string)
    usleep(700_000)
    process.signal(signal)
    let result = try process.wait()
    try pipe.close()
    #expect(result.status == .exited(128 + Int(signal)), "\(result)")
    #expect(try store("layers", "-q").shows("x1\n"))
    #expect(try store("storage-layers").shows("x1\n"))
  }
}
