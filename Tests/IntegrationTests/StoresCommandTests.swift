// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// `stowage stores` and `relocate-root`, and deleting from a store that others share.
@Suite("Stores command") struct StoresCommandTests {
  /// A command on graph root `name` with the shared image store.
  private func run(_ store: CommandStore, _ name: String, _ command: String...) throws -> ProcessResult {
    let place = { (part: String) in store.directory.appending(part).string }
    return try store.bare(
      ["-g", place(name), "-R", place("run-\(name)"), "--image-store", place("i"), "-s", store.driver] + command)
  }

  @Test(.tags(.driver, .slow), arguments: Drivers.all)
  func `The places are shown with role, counts and the graph roots that need them`(driver: String) throws {
    let store = try CommandStore(driver)
    #expect(try run(store, "a", "create-layer", "-r", "-i", "base").isSuccess)
    #expect(try run(store, "a", "create-image", "-i", "image", "-n", "web", "base").isSuccess)
    #expect(try run(store, "b", "create-container", "-n", "c", "web").isSuccess)
    let place = { (part: String) in store.directory.appending(part).string }
    let text = try run(store, "a", "stores").outputText
    let lines = text.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    #expect(lines[0].first == "ROLE")
    #expect(lines[1].prefix(2) == ["graph-root", place("a")[...]] && lines[1].suffix(3) == ["0", "0", "0"])
    #expect(lines[2].prefix(2) == ["image-store", place("i")[...]] && lines[2].suffix(3) == ["1", "1", "0"])
    #expect(lines[3].prefix(2) == ["run-root", place("run-a")[...]])
    #expect(text.contains("needed: 1 layer of graph root \(place("b")) in \(place("i"))\n"))
    let json = try run(store, "b", "stores", "--json").outputText
    #expect(json.contains(#""path":"\#(place("i"))","role":"image-store","#))
    #expect(json.contains(#"{"holders":[],"path":"\#(place("i"))/\#(driver)-layers/layers.lock"}"#))
    #expect(json.contains(#""dependents":[]"#))
    for name in ["a", "b"] { _ = try run(store, name, "shutdown", "-f") }
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `An image that another graph root needs is deleted only by force`(driver: String) throws {
    let store = try CommandStore(driver)
    #expect(try run(store, "a", "create-layer", "-r", "-i", "base").isSuccess)
    #expect(try run(store, "a", "create-image", "-i", "image", "-n", "web", "base").isSuccess)
    #expect(try run(store, "b", "create-container", "-n", "c", "web").isSuccess)
    let user = "container \"c\" of graph root \(store.directory.appending("b"))"
    #expect(
      try run(store, "a", "delete-image", "web").shows(
        error: "web: image used by \(user): image is in use by a container\n", status: 1))
    #expect(
      try run(store, "a", "delete-layer", "base").shows(
        error: "base: used by \(user): layer has children\n", status: 1))
    #expect(
      try run(store, "a", "wipe").shows(error: "wipe: layer base used by \(user): layer has children\n", status: 1))
    #expect(
      try run(store, "a", "wipe", "--json").shows(
        "{}\n", error: "wipe: layer base used by \(user): layer has children\n", status: 1))
    #expect(try run(store, "a", "delete-image", "--force", "web").shows(error: "web: base\n"))
    #expect(try run(store, "a", "wipe", "--force").shows())
    for name in ["a", "b"] { _ = try run(store, name, "shutdown", "-f") }
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `A graph root that was moved is told, spared, and led to its new path`(driver: String) throws {
    let store = try CommandStore(driver)
    #expect(try run(store, "a", "create-layer", "-r", "-i", "base").isSuccess)
    #expect(try run(store, "a", "create-image", "-i", "image", "-n", "web", "base").isSuccess)
    #expect(try run(store, "b", "create-container", "-n", "c", "web").isSuccess)
    _ = try run(store, "b", "shutdown")
    let place = { (part: String) in store.directory.appending(part).string }
    #expect(try store.runOther(["mv", place("b"), place("moved")]).isSuccess)
    #expect(
      try run(store, "a", "stores").outputText.contains(
        "needed: 1 layer of graph root \(place("b")), which is not there, in \(place("i"))\n"))
    #expect(try run(store, "a", "delete-image", "web").status == .exited(1))
    // The old path is not made again, neither by mistake nor by the run that follows one that was killed.
    #expect(
      try run(store, "b", "relocate-root").shows(
        "error initializing: graph root \(place("b")) is not there: give the path where it is now\n", status: 1))
    let line = { (verb: String) in
      "registration in \(place("i")): \(verb)led from \(place("b")) to \(place("moved"))\n"
    }
    #expect(try run(store, "moved", "relocate-root", "--dry-run").shows(line("would be ")))
    // What the move would refuse, its dry run refuses, too; an empty path is none.
    for target in ["", "/dev/shm/stowage-is-not-moved-here", place("no/g")] {
      let refused = try run(store, "moved", "relocate-root", "--to", target, "--dry-run")
      #expect(refused.status == .exited(1) && !refused.outputText.contains("would be"), "\(refused)")
    }
    #expect(try run(store, "b", "relocate-root", "--to", place("moved")).shows(line("")))
    #expect(
      try run(store, "moved", "relocate-root").shows(
        "registration in \(place("i")): leads to \(place("moved")) already\n"))
    let json = try run(store, "moved", "relocate-root", "--to", place("b"), "--json")
    #expect(json.outputText.contains(#""moved-from":"\#(place("moved"))""#), "\(json)")
    #expect(try run(store, "b", "relocate-root").outputText.contains("leads to \(place("b")) already"))
    #expect(!store.directory.appending("moved").exists)
    for name in ["a", "b"] { _ = try run(store, name, "shutdown", "-f") }
  }

  @Test func `Pins are made, too, where options name the store`() throws {
    let store = try CommandStore("vfs")
    let file = FilePath(store.configuration)
    try file.write(try file.readText() + "[storage.options]\npin_layers = true\n")
    #expect(try run(store, "a", "create-layer", "-r", "-i", "base").isSuccess)
    #expect(try run(store, "a", "create-image", "-i", "image", "-n", "web", "base").isSuccess)
    #expect(try run(store, "b", "create-container", "-n", "c", "web").isSuccess)
    #expect(try run(store, "a", "layers").outputText.contains("pin:"))
    for name in ["a", "b"] { _ = try run(store, name, "shutdown", "-f") }
  }
}
