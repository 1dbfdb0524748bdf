// SPDX-License-Identifier: Apache-2.0
import StowageImage
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// `check` and `gc` as `stowage` shows them.
@Suite("Check and collection for people") struct CheckForPeopleTests {
  let store: CommandStore

  init() throws {
    store = try CommandStore("vfs", program: stowageItself().string)
    _ = try run("mkdir", store.directory.appending("tree").string)
    try store.directory.appending("tree/a").write("hello")
    let archive = store.directory.appending("layer.tar").string
    _ = try run("tar", "-C", store.directory.appending("tree").string, "-cf", archive, ".")
    #expect(try store("import-layer", "-i", "base", "-f", archive).isSuccess)
    #expect(try store("create-image", "-i", "im", "-n", "web", "base").isSuccess)
    let manifest = store.directory.appending("tree/a").string
    #expect(try store("set-image-data", "-f", manifest, "im", "manifest").isSuccess)
  }

  private func document(_ command: String...) throws -> JSONValue {
    try JSONDocument.parse(Array(try store.run(command).output.dropLast()))
  }

  @Test func `A whole store is said to be whole, in words and as one document`() throws {
    #expect(try store("check").shows("no damage found\n"))
    let whole = try document("check", "-j")
    #expect(whole["healthy"]?.bool == true && whole["layers"]?.array?.isEmpty == true)
    #expect(try store("gc").shows("nothing was left over\n"))
    #expect(try document("gc", "-j")["found"]?["items"]?.integer == 0)
  }

  @Test func `An image without manifest, at which Podman stops, is told when it is made and in each check`() throws {
    let made = try store("create-image", "-i", "bare", "-n", "localhost/bare:1", "base")
    let note =
      "note: image bare (localhost/bare:1) has no manifest, and until it has one Podman, Buildah and CRI-O cannot list images: "
      + "give it one with \"set-image-data\", or remove it with \"rm\"\n"
    #expect(made.shows("bare\n\tlocalhost/bare:1\n", error: note), "\(made)")
    #expect(try store("check").shows("no damage found\n" + note))
    let document = try document("check", "-j")
    #expect(document["healthy"]?.bool == true && document["notes"]?.array?.count == 1)
    #expect(try store("rm", "bare").isSuccess)
    #expect(try store("check").shows("no damage found\n"))
    let invalid = try store("create-image", "-i", "bad", "-n", "No Name", "base")
    #expect(!invalid.isSuccess && invalid.outputText.isEmpty, "\(invalid)")
    #expect(try !store("exists", "bad").isSuccess)
  }

  @Test func `Each damaged object is a line with its names, and repair tells what went`() throws {
    try FilePath("\(store.graphRoot)/vfs/dir/base/a").write("damaged, and longer")
    let found = try store("check")
    let lines = found.outputText.split(separator: "\n")
    #expect(lines.count == 3 && found.status == .exited(1) && found.errorText.isEmpty, "\(found)")
    #expect(lines.first?.hasPrefix("layer base (of web): ") == true, "\(found)")
    #expect(lines.dropFirst().first?.hasPrefix("image im (web): ") == true, "\(found)")
    let document = try document("check", "--json")
    #expect(document["images"]?.array?.first?["names"]?.array?.first?.string == "web")
    #expect(document["layers"]?.array?.first?["deleted"]?.bool == false)
    let repaired = try store("check", "--repair")
    #expect(repaired.isSuccess, "\(repaired)")
    let told = repaired.outputText.split(separator: "\n")
    #expect(told.prefix(2).allSatisfy { $0.hasSuffix(": deleted") }, "\(repaired)")
    #expect(try store("check").shows("no damage found\n"))
  }

  @Test func `What was left over is told with its size, and told once`() throws {
    try FilePath("\(store.graphRoot)/vfs-layers/.tmp-layers.json123").write("x")
    let stray = FilePath("\(store.graphRoot)/vfs/dir/" + String(repeating: "e", count: 64))
    _ = try run("mkdir", stray.string)
    let result = try store("gc")
    #expect(result.outputText.hasPrefix("found ") && result.outputText.contains("; freed "), "\(result)")
    #expect(result.outputText.split(separator: "\n").count == 1 && result.errorText.isEmpty, "\(result)")
    #expect(!stray.exists)
  }

  @Test func `Lost records are told in both ways, and repair says what it made`() throws {
    try FilePath("\(store.graphRoot)/vfs-images/images.json").write("")
    #expect(try store("check").outputText.hasPrefix("records: \(store.graphRoot)/vfs-images/images.json is empty"))
    #expect(try document("check", "-j")["complete"]?.bool == false)
    let repaired = try store("check", "--repair")
    #expect(repaired.isSuccess && repaired.outputText.contains("what was there is kept as "), "\(repaired)")
  }
}
