// SPDX-License-Identifier: Apache-2.0

import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// The result of one command on a shared store, with what is needed to say why it failed.
struct CommandResult {
  let command: [String]
  let status: StowageSystem.ExitStatus
  let output: String
  let error: String

  /// Output without the line feed at its end.
  var line: String {
    var text = output
    while text.hasSuffix("\n") { text.removeLast() }
    return text
  }

  var lines: [String] { output.split(separator: "\n").map(String.init) }
}

/// A command that was expected to succeed and did not.
struct CommandFailure: Error, CustomStringConvertible {
  let result: CommandResult
  var description: String {
    "\(result.command.joined(separator: " ")): \(result.status)\n\(result.output)\(result.error)"
  }
}

/// One store in a scratch directory, used by Stowage and by Debian's programs in turns or at the same time.
///
/// `close()` unmounts whatever is mounted below it and removes it.
final class SharedStore: Sendable {
  private let scratch: TemporaryDirectory
  let driver: String
  /// The program under test.
  private let program: String
  /// The scratch directory: store, configuration and files of the test.
  var directory: String { scratch.path.string }
  var graph: String { directory + "/g" }
  var runRoot: String { directory + "/r" }

  /// - Parameter program: the one under test; nil for it under the reference's name.
  init(driver: String = "overlay", program: FilePath? = nil) throws {
    self.driver = driver
    self.program = try (program ?? stowageExecutable()).string
    scratch = try TemporaryDirectory("interop", for: driver)
    // Debian's programs want a configuration with driver and both roots; the host's must not matter.
    try write(
      "storage.conf",
      "[storage]\ndriver = \"\(driver)\"\ngraphroot = \"\(graph)\"\nrunroot = \"\(runRoot)\"\n")
    try write(
      "containers.conf",
      "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1000:1000\"]\n")
    try write("policy.json", "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}\n")
  }

  deinit { close() }

  /// Writes a file of the test, named relative to the scratch directory.
  func write(_ name: String, _ text: String) throws { try FilePath(directory + "/" + name).write(text) }

  private var environment: [String: String] {
    [
      "CONTAINERS_STORAGE_CONF": directory + "/storage.conf",
      "CONTAINERS_CONF": directory + "/containers.conf",
      "BUILDAH_ISOLATION": "chroot",
      "HOME": directory,
    ]
  }

  /// Runs a command and throws unless it ends with status 0.
  @discardableResult
  func command(_ words: [String], input: [UInt8] = []) throws -> CommandResult {
    let result = try attempt(words, input: input)
    guard result.status.isSuccess else { throw CommandFailure(result: result) }
    return result
  }

  /// Runs a command, whatever its status.
  func attempt(_ words: [String], input: [UInt8] = []) throws -> CommandResult {
    let ended = try run(words, input: input, adding: environment)
    return CommandResult(command: words, status: ended.status, output: ended.outputText, error: ended.errorText)
  }

  private var storeOptions: [String] { ["--graph", graph, "--run", runRoot, "-s", driver] }

  /// Words of a call of the program under test: `stowage VERB <store options> ARGUMENTS`.
  func stowageWords(_ verb: String, _ arguments: [String]) -> [String] {
    [program, verb] + storeOptions + arguments
  }

  /// Words of a call of Debian's `containers-storage`.
  func referenceWords(_ verb: String, _ arguments: [String]) -> [String] {
    ["containers-storage", verb] + storeOptions + arguments
  }

  /// Words of a call of Debian's Podman on this store.
  func podmanWords(_ arguments: [String]) -> [String] {
    [
      "podman", "--root", graph, "--runroot", runRoot, "--storage-driver", driver, "--runtime", "runc",
      "--cgroup-manager", "cgroupfs",
    ] + arguments
  }

  @discardableResult
  func stowage(_ verb: String, _ arguments: String...) throws -> CommandResult {
    try command(stowageWords(verb, arguments))
  }

  @discardableResult
  func reference(_ verb: String, _ arguments: String...) throws -> CommandResult {
    try command(referenceWords(verb, arguments))
  }

  @discardableResult
  func podman(_ arguments: String...) throws -> CommandResult {
    try command(podmanWords(arguments))
  }

  @discardableResult
  func buildah(_ arguments: String...) throws -> CommandResult {
    try command(["buildah", "--root", graph, "--runroot", runRoot, "--storage-driver", driver] + arguments)
  }

  /// The name of an image of this store in the notation of Skopeo.
  func reference(toImage name: String) -> String { "containers-storage:[\(driver)@\(graph)+\(runRoot)]\(name)" }

  /// The mount point that a command printed; refuses anything outside of the scratch directory, because tests write there.
  func mountPoint(_ result: CommandResult) throws -> String {
    guard result.line.hasPrefix(directory + "/") else { throw CommandFailure(result: result) }
    return result.line
  }

  /// Ends all mounts of the store; a second call does nothing.
  func close() {
    let script = "grep -o ' \(directory)[^ ]*' /proc/self/mountinfo | sort -ru | xargs -r -n1 umount -l"
    _ = try? attempt(["sh", "-c", script])
  }
}
