// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// `load` from the outside (chunked-and-composefs 5.8).
@Suite("Load command", .tags(.root), .enabled(if: isRoot, "the sample image has owners")) struct LoadCommandTests {
  private let archives = ["sample-docker-archive.tar", "sample-oci-archive.tar"].map { fixture("samples/\($0)").string }

  @Test(.tags(.driver), arguments: Drivers.all) func `The command load prints each name, or the identifier`(
    driver: String
  ) throws {
    let store = try CommandStore(driver)
    for archive in archives {
      let result = try store("load", archive)
      #expect(result.status == .exited(0), "\(result)")
      #expect(result.outputText.hasPrefix("Loaded image: "), "\(result)")
      for name in result.outputText.split(separator: "\n").map({ $0.dropFirst("Loaded image: ".count) }) {
        #expect(try store("exists", "-qi", String(name)).shows(), "\(name)")
      }
      #expect(result.errorText.contains("Layer 1/2 "), "\(result)")
    }
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `The command load reads standard input, a file, or a directory`(
    driver: String
  ) throws {
    let store = try CommandStore(driver)
    let bytes = try FilePath(archives[1]).readBytes()
    let first = try store("load", "-qj", input: bytes)
    #expect(first.errorText.isEmpty, "\(first)")
    #expect(first.outputText.contains("\"loaded\":true}]\n"), "\(first)")
    for words in [["-"], ["-i", archives[1]], [archives[1]]] {
      let again = try store.run(["load", "-q", "--json"] + words, input: bytes)
      #expect(again.outputText == first.outputText.replacing("\"loaded\":true", with: "\"loaded\":false"), "\(again)")
    }
    let layout = store.directory.appending("layout")
    _ = try run("mkdir", layout.string)
    _ = try run("tar", "-C", layout.string, "-xf", archives[1])
    #expect(try store("load", "-q", layout.string).status == .exited(0))
    #expect(try store("images", "-q").outputText.split(separator: "\n").count == 1)
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `Names given replace those of the archive`(driver: String) throws {
    let store = try CommandStore(driver)
    let result = try store("load", "-q", "-n", "mine", "-n", "quay.io/a/b:c", archives[0])
    #expect(result.shows("Loaded image: localhost/mine:latest\nLoaded image: quay.io/a/b:c\n"), "\(result)")
    let names = try store("get-names", "localhost/mine:latest").outputText
    #expect(names.split(separator: "\n").sorted() == ["localhost/mine:latest", "quay.io/a/b:c"])
    let bad = try store("load", "-n", "UPPER", archives[0])
    #expect(bad.status == .exited(1) && bad.errorText.contains("must be lowercase"), "\(bad)")
  }

  @Test func `Several sources are loaded one after the other, and what is loaded stays`() throws {
    let store = try CommandStore("vfs")
    let result = try store("load", "-q", archives[0], archives[1])
    #expect(result.isSuccess && result.outputText.split(separator: "\n").count == 2, "\(result)")
    let broken = try store("load", "-q", archives[1], "/nonexistent")
    #expect(broken.status == .exited(1) && broken.outputText.hasPrefix("Loaded image: "), "\(broken)")
    for words in [["-n", "x", archives[0], archives[1]], ["-i", archives[0], archives[1]], [archives[0], "-"]] {
      let refused = try store.run(["load"] + words)
      #expect(!refused.isSuccess && refused.outputText.isEmpty, "\(words): \(refused)")
    }
  }

  @Test func `A transport says what a source is, and which image of it is meant`() throws {
    let store = try CommandStore("vfs", program: stowageItself().string)
    let layout = store.directory.appending("layout").string
    for name in ["a:1", "b:1"] { #expect(try store("load", "-q", "-n", name, archives[0]).isSuccess) }
    #expect(try store("tag", "b:1", "c:1").isSuccess)
    let both = store.directory.appending("both").string
    #expect(try store("import", "-q", archives[1], "d:1").isSuccess)
    #expect(try store("save", "-q", "-o", both, "a:1", "d:1").isSuccess)
    #expect(try store("save", "-q", "a:1", "oci:\(layout):one").isSuccess)
    func shows(_ source: String, _ name: String) throws {
      let result = try store("load", "-q", source)
      #expect(result.shows("Loaded image: localhost/\(name)\n"), "\(source): \(result)")
    }
    try shows("docker-archive:\(both):a:1", "a:1")
    try shows("docker-archive:\(both):localhost/d:1", "d:1")
    try shows("docker-archive:\(both):@1", "d:1")
    try shows("oci:\(layout)", "one:latest")
    try shows("oci:\(layout):one", "one:latest")
    for (source, reason) in [
      ("docker-archive:\(both):e:1", "no image is called \"e:1\": it has localhost/a:1, localhost/d:1"),
      ("docker-archive:\(both):@2", "no image @2: there are 2, counted from 0"),
      ("oci:\(both)", "no oci: it is no directory"),
      ("oci-archive:\(both)", "no oci-archive: no index.json"),
      ("docker-archive:\(layout)", "no docker-archive: it is a directory"),
      ("dir:\(layout)", "no dir: no manifest.json"), ("docker-archive:", "must be docker-archive:PATH"),
      ("oci:\(layout):@x", "position"),
    ] {
      let result = try store("load", "-q", source)
      #expect(
        !result.isSuccess && result.errorText.contains(reason) && result.outputText.isEmpty, "\(source): \(result)")
    }
  }

  @Test func `A source that is none is an error`() throws {
    let store = try CommandStore("vfs")
    let missing = try store("load", "/nonexistent")
    #expect(missing.status == .exited(1) && missing.errorText.contains("no such file or directory"), "\(missing)")
    #expect(missing.outputText.isEmpty)
    let junk = try store("load", input: Array("junk".utf8))
    #expect(junk.status == .exited(1) && !junk.errorText.isEmpty, "\(junk)")
    #expect(try store("load", "-i", "a", "b").status == .exited(1))
    #expect(try store("images", "-j").shows("null\n"))
    #expect(try store("layers", "-j").shows("null\n"))
  }

  /// The file has all layers: written for each of them, it would cost the square of their number.
  @Test func `Records of layers are written a few times, however many layers an image has`() throws {
    let store = try CommandStore("overlay", program: stowageExecutable(hasHooks: true).string)
    let (archive, trace) = (store.directory.appending("image.tar"), store.directory.appending("trace"))
    try ManyLayers.write(to: archive, layers: 34)
    let loaded = try store.run(["load", "-q", archive.string], adding: ["STOWAGE_TRACE": trace.string])
    #expect(loaded.shows("Loaded image: localhost/many:1\n"), "\(loaded)")
    let writes = try trace.readText().split(separator: "\n").count { line in
      let fields = line.split(separator: "\t")
      return fields.first == "rename" && fields.count > 2 && fields[2].hasSuffix("/overlay-layers/layers.json")
    }
    // Twice for each 32 layers, and once for the end of the load.
    #expect(writes == 5)
    #expect(try store("layers", "-q").outputText.split(separator: "\n").count == 34)
  }

  /// What holes of sparse files would take counts, too: 200 MB in an archive of some kilobytes.
  @Test(.tags(.driver), arguments: Drivers.all)
  func `What unpacks to more than --max-size is refused by each command that unpacks, and leaves nothing`(
    driver: String
  ) throws {
    let store = try CommandStore(driver)
    let made = try shell(
      "truncate -s 200M hole; tar --format=posix -Scf layer.tar hole; gzip layer.tar", directory: store.directory.path)
    #expect(made.isSuccess)
    let layer = store.directory.appending("layer.tar.gz").string
    #expect(try store("create-layer", "--id", "empty").isSuccess)
    let before = try store("layers", "-j").outputText
    for words in [
      ["import-layer", "--max-size", "100M", "-f", layer], ["applydiff", "--max-size", "100M", "-f", layer, "empty"],
      ["load", "--max-size", "2K", archives[0]],
    ] {
      let refused = try store.run(words)
      #expect(refused.status == .exited(1), "\(words) \(refused)")
      #expect(refused.errorText.contains("bytes that are allowed"), "\(words) \(refused)")
      #expect(try store("layers", "-j").outputText == before, "\(words)")
      #expect(try store("images", "-j").shows("null\n"))
    }
    #expect(try store("import-layer", "--max-size", "300M", "-f", layer).isSuccess)
    #expect(try store("load", "--max-size", "1M", archives[0]).isSuccess)
    let nonsense = try store("load", "--max-size", "much", archives[0])
    #expect(!nonsense.isSuccess && nonsense.errorText.contains("a number of bytes, or one with K, M, G or T"))
  }

  @Test(arguments: [Int32(1), 2, 15]) func `A load that is interrupted leaves nothing`(signal: Int32)
    throws
  {
    let store = try CommandStore("vfs")
    // The pipe stays open, so the load waits for the rest of the archive.
    let path = store.directory.appending("pipe")
    _ = try run("mkfifo", path.string)
    let pipe = try Syscall.open(path, [.readWrite])
    let beginning = try FilePath(archives[0]).readBytes().prefix(3000)
    try Array(beginning).withUnsafeBytes { try Syscall.write(pipe.rawValue, all: $0) }
    let process = try store.start("load", path.string)
    usleep(700_000)
    process.signal(signal)
    let result = try process.wait()
    try pipe.close()
    #expect(result.status == .exited(128 + Int(signal)), "\(result)")
    #expect(try store("storage-layers").shows())
    #expect(try store("images", "-j").shows("null\n"))
  }

  @Test(.enabled(if: commandExists("script"))) func `Nobody is asked to type an archive`() throws {
    let store = try CommandStore("vfs")
    let command = "\(store.program) -g \(store.graphRoot) -R \(store.runRoot) -s vfs load"
    let result = try run(
      ["script", "-qec", command, "/dev/null"], adding: ["CONTAINERS_STORAGE_CONF": store.configuration])
    #expect(result.status == .exited(1), "\(result)")
    #expect(result.outputText.contains("cannot read an image archive from a terminal"), "\(result)")
  }
}
