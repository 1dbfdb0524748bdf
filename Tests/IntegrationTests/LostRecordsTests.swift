// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

/// Record files that are damaged or gone: nothing that they named is deleted, and `check --repair` brings them back
/// (podman 7800, 8148, 24106, storage 2335).
@Suite("Lost records", .tags(.root), .enabled(if: isRoot, "overlay mounts need root")) struct LostRecordsTests {
  /// What can happen to a record file.
  enum Damage: String, CaseIterable, Sendable {
    case cut, empty, nul, gone

    func apply(to file: FilePath) throws {
      let bytes = try file.readBytes()
      switch self {
      case .cut: try file.write(Array(bytes.dropLast(9)))
      case .empty: try file.write([])
      case .nul: try file.write(bytes.map { _ in 0 })
      case .gone: try Syscall.unlink(file)
      }
    }
  }

  private static let kinds = ["layers", "images", "containers"]
  private static let templates = Mutex<[String: CommandStore]>([:])

  /// Two images, a container of each, one of them with data of its own in the tree and beside the record. Made once, and copied.
  private func makeStore(_ driver: String) throws -> CommandStore {
    let template = try Self.templates.withLock { templates in
      if let known = templates[driver] { return known }
      let new = try CommandStore(driver)
      new.directory.removeAtExit()
      try fill(new)
      templates[driver] = new
      return new
    }
    let store = try CommandStore(driver)
    try #require(try run("cp", "-a", template.graphRoot, store.graphRoot).isSuccess)
    return store
  }

  private func fill(_ store: CommandStore) throws {
    for (number, archive) in ["sample-docker-archive.tar", "sample-oci-archive.tar"].enumerated() {
      try #require(try store("load", "-q", "-n", "image\(number)", fixture("samples/\(archive)").string).isSuccess)
      try #require(try store("create-container", "-n", "c\(number)", "localhost/image\(number):latest").isSuccess)
    }
    let tree = try store("mount", "c0").outputText.dropLast()
    try FilePath("\(tree)/precious").write("precious\n")
    try #require(try store("unmount", "c0").isSuccess)
    let item = try store.file("item", "item")
    try #require(try store("set-container-data", "-f", item, "c0", "item").isSuccess)
    _ = try store("shutdown", "-f")
  }

  private func recordFile(_ kind: String, _ store: CommandStore) -> FilePath {
    FilePath("\(store.graphRoot)/\(store.driver)-\(kind)/\(kind).json")
  }

  private func identifiers(_ kind: String, _ store: CommandStore) throws -> [String] {
    try store(kind).outputText.split(separator: "\n").filter { !$0.hasPrefix("\t") }.map(String.init).sorted()
  }

  /// The digests of all layers' archives, by the layers' identifiers.
  private func archives(_ store: CommandStore) throws -> [String: String] {
    var digests: [String: String] = [:]
    for layer in try identifiers("layers", store) {
      let file = store.directory.appending("diff.tar")
      try #require(try store("diff", "-u", "-f", file.string, layer).isSuccess)
      digests[layer] = try run("sha256sum", file.string).outputText
    }
    return digests
  }

  private func precious(_ store: CommandStore) throws -> Bool {
    try run("find", store.graphRoot, "-name", "precious").outputText.hasSuffix("/precious\n")
  }

  private static let damages = ["overlay", "vfs"].flatMap { driver in
    kinds.flatMap { kind in Damage.allCases.map { (driver: driver, kind: kind, damage: $0) } }
  }

  /// Each of them, and more, is tried without child processes in `Damaged record files`.
  @Test(arguments: Sweep.steps(of: damages.count, sample: 1).map { damages[$0 - 1] })
  func `Nothing is deleted while records are lost, and repair brings them back`(
    driver: String, kind: String, damage: Damage
  ) throws {
    let store = try makeStore(driver)
    var known: [String: [String]] = [:]
    for other in Self.kinds { known[other] = try identifiers(other, store) }
    let digests = try archives(store)
    let doomed = known.mapValues { $0.first ?? "" }
    let file = recordFile(kind, store)
    try damage.apply(to: file)

    let checked = try store("check")
    #expect(checked.status == .exited(1) && checked.outputText.contains("records: \(file)"), "\(checked)")
    for words in [
      ["gc"], ["wipe"], ["delete-image", doomed["images"] ?? ""], ["delete-layer", doomed["layers"] ?? ""],
      ["delete-container", doomed["containers"] ?? ""], ["delete", "none"],
    ] {
      let refused = try store.run(words)
      #expect(refused.status == .exited(1), "\(words)")
      #expect(refused.errorText.contains(file.string) && refused.errorText.contains("check --repair"), "\(refused)")
    }

    let repaired = try store("check", "--repair", "--max", "0s")
    #expect(repaired.status == .exited(0), "\(repaired)")
    #expect(try store("check", "--quick", "--max", "0s").status == .exited(0))
    #expect(try store("gc").isSuccess)
    #expect(try precious(store))
    for other in ["layers", "images"] {
      #expect(try identifiers(other, store) == known[other], "\(other)")
    }
    #expect(try archives(store) == digests)
    // A container of which no more is on disk than this cannot be proven to have this layer.
    let containers = kind != "containers" ? 2 : damage == .cut ? 1 : 0
    #expect(try identifiers("containers", store).count == containers)
  }

  @Test(arguments: ["overlay", "vfs"]) func `Leftovers of a store that recorded nothing are deleted`(driver: String)
    throws
  {
    let store = try CommandStore(driver)
    try #require(try store("create-storage-layer", "--id", String(repeating: "ab", count: 32)).isSuccess)
    #expect(try store("check").status == .exited(1))
    #expect(try store("check", "-r").status == .exited(0))
    #expect(try store("check").shows())
  }

  @Test func `Damaged records of containers stop nobody who only reads others`() throws {
    let store = try makeStore("overlay")
    try Damage.nul.apply(to: recordFile("containers", store))
    // Of a container's layer nothing else tells the owners.
    let layer = try store("image", "localhost/image0:latest").outputText.word(after: "Top Layer: ")
    for words in [["images"], ["layers"], ["image", "localhost/image0:latest"], ["diff", "-u", layer], ["stores"]] {
      #expect(try store.run(words).isSuccess, "\(words)")
    }
    let listed = try store("containers")
    #expect(listed.status == .exited(1) && listed.errorText.contains("containers.json"), "\(listed)")
  }

  @Test func `What cannot be proven keeps nobody from going on after a repair`() throws {
    let store = try makeStore("overlay")
    let image = try store("images", "-q").outputText.split(separator: "\n")[0]
    try FilePath("\(store.graphRoot)/overlay-images/\(image)/manifest").write("damaged")
    try edit("images", store, "a = []")
    try FilePath("\(store.graphRoot)/overlay-layers/volatile-layers.json").write("[{")
    #expect(try store("check").status == .exited(1))
    let repaired = try store("check", "--repair")
    #expect(repaired.errorText.contains("image \(image): the manifest"), "\(repaired)")
    #expect(try store("gc").isSuccess)
    #expect(FilePath("\(store.graphRoot)/overlay-images/\(image)/manifest").exists)
    #expect(try store("delete-container", "c0", "c1").isSuccess)
    #expect(try store("check").isSuccess)
  }

  @Test(arguments: kinds) func `Nothing is added to records that are lost`(kind: String) throws {
    let store = try makeStore("overlay")
    try Damage.gone.apply(to: recordFile(kind, store))
    let words = [
      "layers": ["create-layer"], "images": ["create-image", try identifiers("layers", store).first ?? ""],
      "containers": ["create-container", "localhost/image0:latest"],
    ][kind]
    let trees = try run("ls", "\(store.graphRoot)/overlay").outputText
    let refused = try store.run(try #require(words))
    #expect(refused.status == .exited(1) && refused.errorText.contains("check --repair"), "\(refused)")
    #expect(!recordFile(kind, store).exists)
    if kind == "images" {
      let archive = store.directory.appending("image").string
      _ = try run(repositoryFile("scripts/make-demo-image").string, archive)
      #expect(try store("load", "-q", archive + "/demo-oci-archive.tar").status == .exited(1))
    }
    // Nor is anything made that nothing could name, or delete, before the records are back.
    #expect(try run("ls", "\(store.graphRoot)/overlay").outputText == trees)
  }

  @Test func `Records that another program began anew are known to lack what others name`() throws {
    let store = try makeStore("overlay")
    let layers = try identifiers("layers", store)
    try recordFile("layers", store).write("[]")
    #expect(try store("check").status == .exited(1))
    #expect(try store("check", "-r", "-m", "0s").isSuccess)
    #expect(try identifiers("layers", store) == layers)
    #expect(try precious(store))
  }

  @Test(arguments: ["overlay", "vfs"]) func `A container is known by the configuration of its runtime`(
    driver: String
  ) throws {
    let store = try makeStore(driver)
    let (id, layer) = (
      try store("container", "c0").outputText.word(after: "ID: "),
      try store("container", "c0").outputText.word(after: "Layer: ")
    )
    let tree = driver == "vfs" ? "\(store.graphRoot)/vfs/dir/\(layer)" : "\(store.graphRoot)/overlay/\(layer)/merged"
    let directory = FilePath("\(store.graphRoot)/\(driver)-containers/\(id)/userdata")
    try #require(try run("mkdir", "-p", directory.string).isSuccess)
    try directory.appending("config.json").write(#"{"ociVersion":"1.0.2","root":{"path":"\#(tree)"},"linux":{}}"#)
    try Damage.gone.apply(to: recordFile("containers", store))
    #expect(try store("check", "-r", "-m", "0s").isSuccess)
    #expect(try identifiers("containers", store) == [id])
    #expect(try store("container", id).outputText.word(after: "Layer: ") == layer)
    #expect(try store("get-container-data", id, "item").outputText == "item")
    let mounted = try store("mount", id).outputText.dropLast()
    #expect(try FilePath("\(mounted)/precious").readText() == "precious\n")
    #expect(try store("unmount", id).isSuccess)
  }

  /// Changes the list of records in a file, which stays one that can be read.
  private func edit(_ kind: String, _ store: CommandStore, _ change: String) throws {
    let file = recordFile(kind, store).string
    let done = try run(
      "python3", "-c", "import json; p = '\(file)'; a = json.load(open(p)); \(change); json.dump(a, open(p, 'w'))")
    try #require(done.isSuccess, "\(done)")
  }

  @Test func `What was restored is kept until the damaged file is deleted`() throws {
    let store = try makeStore("overlay")
    try Damage.gone.apply(to: recordFile("containers", store))
    let repaired = try store("check", "-r", "-m", "0s")
    let kept = repaired.errorText.word(after: "kept as ")
    #expect(repaired.isSuccess && FilePath(kept).exists, "\(repaired)")
    let told = try store("check", "-m", "0s")
    #expect(told.isSuccess && (told.outputText + told.errorText).contains(kept), "\(told)")
    try Syscall.unlink(FilePath(kept))
    #expect(try store("check", "-r", "-m", "0s").isSuccess)
    #expect(try !precious(store))
  }
}

extension String {
  /// The word that follows a text where it is first; empty if it is nowhere.
  fileprivate func word(after text: String) -> String {
    guard let found = firstRange(of: text) else { return "" }
    return String(self[found.upperBound...].prefix { !$0.isWhitespace })
  }
}
