// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// `save` from the outside (registries 7.5 to 7.7).
@Suite("Save command", .tags(.root), .enabled(if: isRoot, "the sample image has owners")) struct SaveCommandTests {
  private let archive = fixture("samples/sample-docker-archive.tar").string

  /// A store with the sample image under one name.
  private func store(_ driver: String = "vfs", hasHooks: Bool = false) throws -> (CommandStore, out: FilePath) {
    let store = try CommandStore(driver, program: stowageItself(hasHooks: hasHooks).string)
    try #require(try store("load", "-q", "-n", "sample:1", archive).isSuccess)
    let out = store.directory.appending("out")
    try Syscall.mkdir(out, mode: 0o755)
    return (store, out)
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `Archives go to standard output, to a file, and where a transport says`(
    driver: String
  ) throws {
    let (store, out) = try store(driver)
    let piped = try store("save", "sample:1")
    #expect(
      piped.isSuccess && piped.errorText.contains("Layer 1/2 ") && piped.errorText.contains(": done ("), "\(piped)")
    for words in [
      ["-o", "\(out)/1", "sample:1"], ["sample:1", "docker-archive:\(out)/2"],
      ["sample:1", "-o", "docker-archive:\(out)/3"],
    ] {
      let result = try store.run(["save", "-q"] + words)
      #expect(result.shows(), "\(result)")
    }
    for name in ["1", "2", "3"] { #expect(try out.appending(name).readBytes() == piped.output) }
    let renamed = try store("save", "-q", "sample:1", "docker-archive:\(out)/4:quay.io/x/y:7")
    #expect(renamed.shows(), "\(renamed)")
    let loaded = try store("load", "-q", "\(out)/4")
    #expect(loaded.shows("Loaded image: quay.io/x/y:7\n"), "\(loaded)")
    for (words, names) in [
      (["oci:\(out)/5"], ["blobs", "index.json", "oci-layout"]),
      (["--format", "oci-dir", "--compression", "zstd:9", "-o", "\(out)/6"], ["blobs", "index.json", "oci-layout"]),
    ] {
      let result = try store.run(["save", "-q", "sample:1"] + words)
      #expect(result.shows(), "\(result)")
      #expect(try out.appending(words.last?.hasSuffix("5") == true ? "5" : "6").names().sorted() == names)
    }
  }

  @Test func `A pipe that has a path in the file system of processes is written to`() throws {
    let (store, _) = try store()
    let whole = try store("save", "-q", "sample:1")
    for verb in ["save -q", "export"] {
      let words = verb.split(separator: " ").map(String.init)
      let direct = words[0] == "save" ? whole : try store("export", "sample:1")
      let piped = try shell(
        "\(store.words(words + ["-o", "/dev/stdout", "sample:1"]).joined(separator: " ")) | sha256sum")
      let expected = try run(["sha256sum"], input: direct.output)
      #expect(piped.outputText == expected.outputText, "\(verb): \(piped)")
    }
  }

  @Test(arguments: ["vfs", "overlay"])
  func `Content that was written without a trace in size and time is committed`(driver: String) throws {
    let (store, _) = try store(driver)
    #expect(try store("create", "sample:1", "one").isSuccess)
    let file = store.directory.appending("f").string
    try FilePath(file).write("counter=1")
    _ = try run("touch", "-d", "@1700000000", file)
    #expect(try store("copy", file, "one:/f").isSuccess)
    #expect(try store("commit", "-q", "one", "first").isSuccess)
    #expect(try store("create", "first", "two").isSuccess)
    let root = try store("mount", "two").outputText.dropLast()
    try FilePath("\(root)/f").write("counter=2")
    _ = try run("touch", "-d", "@1700000000", "\(root)/f")
    #expect(try store("unmount", "two").isSuccess)
    #expect(try store("commit", "-q", "two", "second").isSuccess)
    let content = try shell("\(store.words(["export", "second"]).joined(separator: " ")) | tar -xOf - f")
    #expect(content.outputText == "counter=2")
  }

  @Test func `Contradictions and words that are none are refused`() throws {
    let (store, out) = try store()
    for words in [
      ["--format", "rar", "sample:1"], ["--compression", "lzma", "sample:1"], ["--compression", "zstd:x", "sample:1"],
      ["--format", "oci-dir", "sample:1"], ["--format", "oci-archive", "sample:1", "docker-archive:\(out)/x"],
      ["-o", "\(out)/y", "sample:1", "docker-archive:\(out)/x"], ["sample:1", "oci-archive:"],
      ["sample:1", "docker-archive:\(out)/x:"], ["--compression", "gzip", "sample:1"], ["nosuch", "-o", "\(out)/x"],
      ["sample:1", "sample:1", "dir:\(out)/x", "-o", "\(out)/z"],
    ] {
      let result = try store.run(["save"] + words)
      let status = words.contains("nosuch") ? 1 : 125
      #expect(
        result.status == .exited(status) && result.output.isEmpty && !result.errorText.isEmpty, "\(words) \(result)")
    }
    #expect(try out.names().isEmpty)
    let terminal = try shell(
      "script -qec '\(store.words(["save", "sample:1"]).joined(separator: " "))' /dev/null < /dev/null")
    #expect(terminal.outputText.contains("refusing to save to terminal"), "\(terminal)")
  }

  @Test func `A save that is killed at any step leaves nothing that looks whole`() throws {
    let (store, out) = try store(hasHooks: true)
    for target in ["docker-archive:\(out)/x", "oci-archive:\(out)/x", "oci:\(out)/x"] {
      let counted = store.directory.appending("steps")
      _ = try? Syscall.unlink(counted)
      let whole = try store("save", "-q", "sample:1", target, adding: ["STOWAGE_FAULT": "count=\(counted)"])
      try #require(whole.isSuccess, "\(whole)")
      let steps = try counted.readText().split(separator: "\n").count
      try #require(steps > 1)
      for step in Sweep.steps(of: steps, sample: 4) {
        _ = try run("rm", "-rf", "\(out)/x")
        let killed = try store("save", "-q", "sample:1", target, adding: ["STOWAGE_FAULT": "kill=\(step)"])
        #expect(!killed.isSuccess)
        let left = try out.names()
        #expect(!left.contains("x") && (target.hasPrefix("oci:") || left.isEmpty), "\(target), step \(step): \(left)")
      }
      // What a kill has left of a directory goes with the next save to the place.
      _ = try run("rm", "-rf", "\(out)/x")
      #expect(try store("save", "-q", "sample:1", target).shows())
      #expect(try out.names() == ["x"])
      _ = try run("rm", "-rf", "\(out)/x")
    }
  }

  @Test(arguments: [Int32(1), 2, 15]) func `A save that is interrupted leaves nothing, and says so by its status`(
    signal: Int32
  ) throws {
    let (store, out) = try store()
    // Nobody reads the pipe, so the save waits in the middle.
    let path = out.appending("pipe")
    _ = try run("mkfifo", path.string)
    let pipe = try Syscall.open(path, [.readWrite])
    try [UInt8](repeating: 0, count: 65_536).withUnsafeBytes { try Syscall.write(pipe.rawValue, all: $0) }
    let process = try store.start("save", "-q", "-o", path.string, "sample:1")
    usleep(500_000)
    process.signal(signal)
    let result = try process.wait()
    #expect(result.status == .exited(128 + Int(signal)), "\(result)")
    #expect(result.errorText == "interrupted: nothing was kept of \(path)\n", "\(result)")
    #expect(try out.names() == ["pipe"])
  }
}
