// SPDX-License-Identifier: Apache-2.0

import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// SIGKILL while images are moved: every image stays whole, other programs can mount what is built on it, and the same command
/// goes on where it was stopped.
@Suite(
  "Kills while images are moved", .tags(.root, .interop, .slow), .serialized,
  .enabled(if: isRoot, "overlay mounts need root"))
struct RelocateKillTests {
  private static let image = String(repeating: "1a", count: 32)

  /// A graph root `g` with an image of two layers and a container of it, and an image store `i`.
  private final class Store {
    let scratch: TemporaryDirectory
    let driver: String
    let program: String
    /// The container's layer.
    private(set) var container = ""

    init(_ driver: String) throws {
      scratch = try TemporaryDirectory("relocate")
      self.driver = driver
      program = try stowageExecutable(hasHooks: true).string
      try scratch.appending("storage.conf").write(
        "[storage]\ndriver = \"\(driver)\"\ngraphroot = \"\(scratch.path)/g\"\nrunroot = \"\(scratch.path)/r\"\n")
      try checked(
        run([
          "sh", "-c",
          "mkdir \(scratch.path)/t && cd \(scratch.path)/t && echo one >one && ln one hard && tar -cf ../1.tar . && "
            + "rm hard && echo two >two && tar -czf ../2.tar .",
        ]))
      try stowage("import-layer", "-r", "-i", "base", "-f", "\(scratch.path)/1.tar")
      try stowage("import-layer", "-r", "-i", "top", "-f", "\(scratch.path)/2.tar", "base")
      try stowage("set-layer-data", "-f", "\(scratch.path)/1.tar", "top", "part")
      try stowage("create-image", "-i", RelocateKillTests.image, "-n", "web", "-m", "text", "top")
      try stowage("set-image-data", "-f", "\(scratch.path)/1.tar", "web", "item")
      container =
        try stowage("create-container", "-j", "-n", "c", "web").firstMatch(of: #/"layer":"(\w+)"/#).map { "\($0.1)" }
        ?? ""
    }

    @discardableResult
    func stowage(_ words: String...) throws -> String { try checked(call(words, fault: nil)) }

    func call(_ words: [String], fault: String?) throws -> ProcessResult {
      var environment = ["CONTAINERS_STORAGE_CONF": scratch.path.string + "/storage.conf"]
      environment["STOWAGE_FAULT"] = fault
      let options = [
        "--graph", "\(scratch.path)/g", "--run", "\(scratch.path)/r", "--image-store", "\(scratch.path)/i", "-s",
        driver,
      ]
      return try run([program, words[0]] + options + words.dropFirst(), adding: environment)
    }

    /// Lets Debian's program load the records, and put right what it thinks is wrong.
    func openWithDebian() throws {
      let configuration = scratch.appending("debian.conf")
      try configuration.write(
        "[storage]\ndriver = \"\(driver)\"\ngraphroot = \"\(scratch.path)/g\"\nrunroot = \"\(scratch.path)/r\"\n"
          + "[storage.options]\nadditionalimagestores = [\"\(scratch.path)/i\"]\n")
      try checked(run(["containers-storage", "layers"], adding: ["CONTAINERS_STORAGE_CONF": configuration.string]))
    }

    func steps(_ words: [String]) throws -> Int {
      let file = scratch.appending("steps")
      try checked(call(words, fault: "count=\(file)"))
      return Int(try checked(run(["sh", "-c", "wc -l <\(file) && rm \(file)"])).filter(\.isNumber)) ?? 0
    }

    /// What anybody sees of the image, wherever it is.
    func content() throws -> String {
      let item = try checked(
        run(["sh", "-c", "sha256sum"], input: call(["get-image-data", "web", "item"], fault: nil).output))
      let part = try checked(
        run(["sh", "-c", "sha256sum"], input: call(["get-layer-data", "top", "part"], fault: nil).output))
      let diffs = try ["base", "top"].map { layer in
        try checked(run(["sha256sum"], input: call(["diff", "-u", layer], fault: nil).output))
      }
      return try (diffs + [item, part, stowage("metadata", "-q", "web"), stowage("image", "-j", "web")]).joined()
    }

    /// What belongs to no record of its own place.
    func leftovers() throws -> [String] {
      try [("g", "i"), ("i", "g")].flatMap { place, other in
        try inspectStore(
          driver: driver, root: "\(scratch.path)/\(place)", runRoot: "\(scratch.path)/r",
          otherRoot: "\(scratch.path)/\(other)"
        ).leftovers
      }
    }

    @discardableResult
    func checked(_ result: ProcessResult) throws -> String {
      guard result.isSuccess else { throw FixtureError(text: "\(result)") }
      return result.outputText
    }

    deinit {
      for path in MountTable.mounts(below: scratch.path).reversed() { try? Syscall.umount(path, flags: .detach) }
    }
  }

  @Test(
    .tags(.driver), arguments: ["overlay", "vfs"], [["image-store", "graph-root"], ["graph-root", "image-store"]])
  func `A killed move leaves the image whole and is taken up again`(driver: String, ways: [String]) throws {
    let store = try Store(driver)
    let (there, back) = (["relocate", "-q", "--all", "--to", ways[0]], ["relocate", "-q", "--all", "--to", ways[1]])
    if ways[0] == "graph-root" { try store.stowage("relocate", "-q", "--all", "--to", "image-store") }
    let content = try store.content()
    let steps = try store.steps(there)
    #expect(steps > 20)
    try store.checked(store.call(back, fault: nil))
    for step in Sweep.steps(of: steps, sample: 2) {
      _ = try store.call(there, fault: "kill=\(step)")
      // Every other time another program opens the store first, which knows the other place as an additional store.
      if (step + Int(Sweep.seed % 2)).isMultiple(of: 2) { try store.openWithDebian() }
      #expect(try store.content() == content, "killed before step \(step) of \(steps)")
      #expect(try store.stowage("images", "-q") == "\(RelocateKillTests.image)\n", "killed before step \(step)")
      let checked = try store.call(["check"], fault: nil).outputText
      #expect(checked == "", "killed before step \(step)")
      try store.checked(store.call(there, fault: nil))
      #expect(try store.content() == content, "taken up after step \(step)")
      let left = try store.leftovers()
      #expect(left == [], "taken up after step \(step)")
      let source = store.scratch.appending(ways[0] == "image-store" ? "g" : "i")
      let rest = try source.appending("\(driver)-layers/layers.json").readText()
      let identifiers = rest.matches(of: #/"id":"(\w+)"/#).map { "\($0.1)" }
      #expect(identifiers == (ways[0] == "image-store" ? [store.container] : []), "after step \(step)")
      try store.checked(store.call(back, fault: nil))
      #expect(try store.content() == content, "moved back after step \(step)")
    }
  }

  @Test(arguments: [["image-store", "graph-root"], ["graph-root", "image-store"]])
  func `A mounted container sees its image while a move of it is killed and taken up again`(ways: [String]) throws {
    let store = try Store("overlay")
    let (there, back) = (["relocate", "-q", "--all", "--to", ways[0]], ["relocate", "-q", "--all", "--to", ways[1]])
    if ways[0] == "graph-root" { try store.stowage("relocate", "-q", "--all", "--to", "image-store") }
    func mount() throws -> String {
      let place = try store.stowage("mount", "c").split(separator: "\n").last.map(String.init) ?? ""
      try store.checked(run(["sh", "-c", "echo own >\(place)/own"]))
      return place
    }
    func files(_ place: String) throws -> String {
      try store.checked(run(["sh", "-c", "cd \(place) && cat one two own"]))
    }
    _ = try mount()
    let steps = try store.steps(there)
    try store.stowage("unmount", "c")
    try store.checked(store.call(back, fault: nil))
    for step in Sweep.steps(of: steps, sample: 2) {
      let place = try mount()
      _ = try store.call(there, fault: "kill=\(step)")
      #expect(try store.stowage("images", "-q") == "\(RelocateKillTests.image)\n", "killed before step \(step)")
      // What the dead process left is put right while the container runs.
      try store.checked(run(["sh", "-c", "echo 2 >/proc/sys/vm/drop_caches"]))
      #expect(try files(place) == "one\ntwo\nown\n", "killed before step \(step) of \(steps)")
      try store.checked(store.call(there, fault: nil))
      #expect(try files(place) == "one\ntwo\nown\n", "taken up after step \(step)")
      try store.stowage("unmount", "c")
      #expect(try store.call(["check"], fault: nil).outputText == "", "unmounted after step \(step)")
      #expect(try store.leftovers() == [], "unmounted after step \(step)")
      #expect(try files(mount()) == "one\ntwo\nown\n", "mounted anew after step \(step)")
      try store.stowage("unmount", "c")
      try store.checked(store.call(back, fault: nil))
      #expect(try store.call(["check"], fault: nil).outputText == "", "moved back after step \(step)")
    }
  }
}
