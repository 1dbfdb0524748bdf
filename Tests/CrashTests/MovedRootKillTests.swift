// SPDX-License-Identifier: Apache-2.0

import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// SIGKILL while a graph root is moved: other graph roots spare what it needs at each moment, and the same command goes on.
@Suite(
  "Kills while a graph root is moved", .tags(.root, .slow), .enabled(if: isRoot, "overlay mounts need root"))
struct MovedRootKillTests {
  /// A command on graph root `name` with the image store `i`; the last word of `relocate-root` is a name, too.
  private static func call(
    _ scratch: TemporaryDirectory, _ driver: String, _ name: String, _ words: [String], fault: String? = nil
  ) throws -> ProcessResult {
    let place = { (part: String) in scratch.appending(part).string }
    var environment = ["CONTAINERS_STORAGE_CONF": place("storage.conf")]
    environment["STOWAGE_FAULT"] = fault
    var words = words
    if words.first == "relocate-root", let last = words.popLast() { words.append(place(last)) }
    return try run(
      [
        try stowageExecutable(hasHooks: true).string, "-g", place(name), "-R", place("r-\(name == "a" ? "a" : "b")"),
        "-s", driver,
      ]
        + ["--image-store", place("i")] + words, adding: environment)
  }

  @Test(.tags(.driver), arguments: ["overlay", "vfs"])
  func `A killed move of a graph root loses nothing, and the same command ends it`(driver: String) throws {
    let scratch = try TemporaryDirectory("moved")
    defer {
      // Those of the overlay driver; what stays is on a scratch file system.
      for path in MountTable.mounts(below: scratch.path).reversed() { try? Syscall.umount(path, flags: .detach) }
    }
    try scratch.appending("storage.conf").write("[storage]\ndriver = \"\(driver)\"\n")
    func call(_ name: String, _ words: String..., fault: String? = nil) throws -> ProcessResult {
      try Self.call(scratch, driver, name, words, fault: fault)
    }
    #expect(try call("a", "create-layer", "-r", "-i", "base").isSuccess)
    #expect(try call("a", "create-image", "-i", "image", "-n", "web", "base").isSuccess)
    #expect(try call("b", "create-container", "-n", "c", "web").isSuccess)
    let steps = scratch.appending("steps")
    #expect(try call("b", "relocate-root", "--to", "new", fault: "count=\(steps)").isSuccess)
    let number = try steps.readText().split(separator: "\n").count
    #expect(try call("new", "relocate-root", "--to", "b").isSuccess)
    for step in Sweep.steps(of: number, sample: 4) {
      _ = try call("b", "relocate-root", "--to", "new", fault: "kill=\(step)")
      let refused = try call("a", "delete-image", "web")
      #expect(refused.errorText.contains("of graph root"), "killed before step \(step) of \(number): \(refused)")
      #expect(try call("b", "relocate-root", "--to", "new").isSuccess, "taken up after step \(step)")
      #expect(!scratch.appending("b").exists, "taken up after step \(step)")
      #expect(try call("new", "exists", "c").isSuccess, "taken up after step \(step)")
      let place = scratch.appending("i/\(driver)-layers/dependents.d")
      let names = try place.names().filter { !$0.hasPrefix(".") }
      #expect(names.count == 1, "taken up after step \(step)")
      let text = try place.appending(names[0]).readText()
      #expect(text.contains(#""graph-root":"\#(scratch.appending("new"))""#), "taken up after step \(step)")
      #expect(try call("new", "relocate-root", "--to", "b").isSuccess, "moved back after step \(step)")
    }
    for name in ["a", "b"] { _ = try call(name, "shutdown", "-f") }
  }
}
