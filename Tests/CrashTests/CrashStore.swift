// SPDX-License-Identifier: Apache-2.0

import StowageSystem
import StowageTestSupport
import SystemPackage

/// A scratch store on which operations are killed or made to fail at a numbered step.
///
/// In the words of a command, `@docker-archive`, `@many-layers`, `@layer` and `@directory` stand for inputs.
final class CrashStore: Sendable {
  private let scratch: TemporaryDirectory
  private let driver: String
  private let program: String
  private var directory: String { scratch.path.string }

  /// - Parameter program: the one under test, a debug build; nil for that under the reference's name.
  init(driver: String, program: FilePath? = nil) throws {
    self.driver = driver
    self.program = try (program ?? stowageExecutable(hasHooks: true)).string
    scratch = try TemporaryDirectory("crash", for: driver)
    try scratch.appending("storage.conf").write(
      "[storage]\ndriver = \"\(driver)\"\ngraphroot = \"\(directory)/g\"\nrunroot = \"\(directory)/r\"\n"
        + "[storage.options.pull_options]\nenable_partial_images = \"true\"\n")
    try script("\(repositoryFile("scripts/make-demo-image")) \(directory)/image")
    try script(
      "mkdir -p \(directory)/t/d && cd \(directory)/t && echo a >a && ln a hard && ln -s a soft && echo b >d/b"
        + " && tar -czf ../layer.tar.gz .")
    try ManyLayers.write(to: FilePath(directory + "/many-layers.tar"), layers: 5)
  }

  /// Runs a command of the program under test; throws unless it ends with status 0.
  @discardableResult
  func stowage(_ words: String...) throws -> String {
    let ended = try call(words, fault: nil)
    guard ended.isSuccess else {
      throw FixtureError(text: "\(words): \(ended)")
    }
    return ended.outputText
  }

  /// Runs the operation to its end and counts the mutating steps it takes.
  func countSteps(_ words: [String]) throws -> Int {
    let file = directory + "/steps"
    try script("rm -f \(file)")
    let ended = try call(words, fault: "count=\(file)")
    guard ended.isSuccess else {
      throw FixtureError(text: "\(words): \(ended)")
    }
    return Int(try script("wc -l <\(file)").filter(\.isNumber)) ?? 0
  }

  /// Lets the operation be killed before the given step, or end, if it takes fewer.
  func kill(_ words: [String], before step: Int) throws { _ = try call(words, fault: "kill=\(step)") }

  /// Lets one step fail; returns the exit status of the operation.
  func fail(_ words: [String], at step: Int, with errno: String) throws -> StowageSystem.ExitStatus {
    try call(words, fault: "fail=\(step):\(errno)").status
  }

  /// What users see: layers with names, digests and numbers of files, images and containers, and items with their digests. Opening
  /// the store is what repairs it.
  func state() throws -> [String] { try look().state }

  /// The same, and everything in the store that belongs to no record, or is not what its record says, and every mount.
  func look() throws -> (state: [String], leftovers: [String]) {
    let layers = try stowage("layers", "-j")
    let images = try stowage("images")
    let containers = try stowage("containers")
    // Container layers have random IDs; their number counts.
    let ids = layers.split(separator: "{\"id\":\"").dropFirst().map { String($0.prefix { $0 != "\"" }) }
    let named = ids.filter { $0.count != 64 || images.contains($0) }.sorted()
    var found = try inspectStore(driver: driver, root: directory + "/g", runRoot: directory + "/r")
    // Data of an image without record show nobody that it was being made or deleted: they go when that is asked for.
    if found.leftovers.contains(where: { $0.hasPrefix("left images data") }) {
      try stowage("gc")
      let others = found.leftovers.filter { !$0.hasPrefix("left images data") }
      found = try inspectStore(driver: driver, root: directory + "/g", runRoot: directory + "/r")
      found.leftovers += others
    }
    let listed = (images + containers).split(separator: "\n").map(String.init)
    return (["\(ids.count) layers"] + named + found.content + listed, found.leftovers)
  }

  func close() {
    _ = try? shell("grep -o ' \(directory)[^ ]*' /proc/self/mountinfo | sort -r | xargs -r -n1 umount -l")
  }

  private func call(_ words: [String], fault: String?) throws -> ProcessResult {
    var environment = [
      "CONTAINERS_STORAGE_CONF": directory + "/storage.conf", "HOME": directory,
    ]
    environment["STOWAGE_FAULT"] = fault
    let arguments = words.dropFirst().map {
      switch $0 {
      case "@docker-archive": directory + "/image/demo-docker-archive.tar"
      case "@oci-archive": directory + "/image/demo-oci-archive.tar"
      case "@many-layers": directory + "/many-layers.tar"
      case "@layer": directory + "/layer.tar.gz"
      case "@directory": directory + "/t"
      case "@directory/a": directory + "/t/a"
      default: $0
      }
    }
    return try run([program, words[0]] + arguments, adding: environment)
  }

  @discardableResult
  private func script(_ text: String) throws -> String {
    let ended = try run(["bash", "-c", text])
    guard ended.isSuccess else {
      throw FixtureError(text: "\(text): \(ended)")
    }
    return ended.outputText
  }
}

/// What `inspect-store.py` sees in a store on disk, or in one place of a split one.
func inspectStore(
  driver: String, root: String, runRoot: String, otherRoot: String? = nil
) throws -> (content: [String], leftovers: [String]) {
  let script = repositoryFile("Tests/CrashTests/inspect-store.py").string
  let seen = try run(["python3", "-IS", script, driver, root, runRoot] + (otherRoot.map { [$0] } ?? []))
  guard seen.isSuccess else { throw FixtureError(text: "\(seen)") }
  let lines = seen.outputText.split(separator: "\n")
  func about(_ word: String) -> [String] { lines.filter { $0.hasPrefix(word + " ") }.map(String.init) }
  return (about("content"), about("left"))
}
