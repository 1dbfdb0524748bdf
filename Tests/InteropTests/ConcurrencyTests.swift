// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

/// Four loops of Stowage and four of Debian's programs on one overlay store.
///
/// `STOWAGE_STRESS_SECONDS` sets the length; a quarter of a minute if it is not set.
@Suite(
  "Programs at the same time", .tags(.root, .interop, .slow), .serialized,
  .enabled(if: isRoot, "overlay mounts need root"))
struct ConcurrencyTests {
  /// What a loop did, and what went wrong.
  private final class Report: Sendable {
    private let state = Mutex<(rounds: [String: Int], failures: [String])>(([:], []))

    func finishedRound(of loop: String) { state.withLock { $0.rounds[loop, default: 0] += 1 } }
    func failed(_ text: String) { state.withLock { $0.failures.append(text) } }
    var rounds: [String: Int] { state.withLock { $0.rounds } }
    var failures: [String] { state.withLock { $0.failures } }
  }

  private typealias Round = @Sendable (SharedStore, Int) throws -> Void

  @Test func `Stowage and Debian's programs work on one store at the same time`() async throws {
    let seconds = environmentValue("STOWAGE_STRESS_SECONDS").flatMap(Int.init) ?? 15
    let store = try SharedStore()
    try store.stowage("load", try DemoImage.dockerArchive())
    let base = try store.stowage("layers", "-q").lines.first ?? ""
    for owner in ["stowage", "reference"] { try store.stowage("create-layer", "-r", "--id", "kept-\(owner)", base) }

    let loops: [(name: String, round: Round)] = [
      ("stowage layers", { try Self.layerRound($0, $1, "sl", $0.stowageWords, parent: base) }),
      ("stowage loads", { try Self.loadRound($0, $1) }),
      ("stowage containers", { try Self.containerRound($0, $1, "sc", $0.stowageWords) }),
      ("stowage records", { try Self.recordRound($0, $1, "stowage", $0.stowageWords) }),
      ("reference layers", { try Self.layerRound($0, $1, "rl", $0.referenceWords, parent: base) }),
      ("podman", { try Self.podmanRound($0, $1) }),
      ("reference containers", { try Self.containerRound($0, $1, "rc", $0.referenceWords) }),
      ("reference records", { try Self.recordRound($0, $1, "reference", $0.referenceWords) }),
    ]
    let report = Report()
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    await withTaskGroup(of: Void.self) { group in
      for loop in loops {
        group.addTask {
          await onThread {
            var index = 0
            // At least one round, however slow the machine.
            while index == 0 || ContinuousClock.now < deadline {
              do {
                try loop.round(store, index)
              } catch {
                return report.failed("\(loop.name), round \(index): \(error)")
              }
              report.finishedRound(of: loop.name)
              index += 1
            }
          }
        }
      }
    }

    #expect(report.failures.isEmpty, "\(report.failures.joined(separator: "\n"))")
    for loop in loops { #expect(report.rounds[loop.name, default: 0] > 0, "\(loop.name) finished no round") }
    // The last update of each record loop must be there: none was lost to another writer.
    for owner in ["stowage", "reference"] {
      let count = report.rounds["\(owner) records", default: 0]
      #expect(try store.stowage("metadata", "-q", "kept-\(owner)").line == "\(owner)-\(count - 1)")
    }
    try store.expectNoLeftovers()
  }

  /// Layers created, renamed, mounted, unmounted, deleted.
  private static func layerRound(
    _ store: SharedStore, _ index: Int, _ tag: String, _ words: (String, [String]) -> [String], parent: String
  ) throws {
    let id = "\(tag)-\(index)"
    try store.command(words("create-layer", ["--id", id, "-n", "\(id)-first", parent]))
    try store.command(words("set-names", ["-n", "\(id)-second", id]))
    let root = try store.mountPoint(store.command(words("mount", [id])))
    try FilePath(root + "/file").write(id)
    try store.command(words("unmount", [id]))
    let names = try store.command(words("get-names", [id])).lines
    guard names == ["\(id)-second"] else { throw Unexpected("names of \(id) are \(names)") }
    try store.command(words("delete-layer", [id]))
  }

  /// Containers created, mounted, changed, unmounted, deleted.
  private static func containerRound(
    _ store: SharedStore, _ index: Int, _ tag: String, _ words: (String, [String]) -> [String]
  ) throws {
    let id = "\(tag)-\(index)"
    try store.command(words("create-container", ["--id", id, "-n", "\(id)-name", "localhost/stowage-demo:latest"]))
    let root = try store.mountPoint(store.command(words("mount", [id])))
    let motd = try store.command(["cat", root + "/etc/motd"]).output
    guard motd == "second layer\n" else { throw Unexpected("content of \(id): \(motd)") }
    try FilePath(root + "/srv/new").write(id)
    try store.command(words("unmount", [id]))
    try store.command(words("delete-container", [id]))
  }

  /// Metadata counted up on a layer of our own.
  private static func recordRound(
    _ store: SharedStore, _ index: Int, _ owner: String, _ words: (String, [String]) -> [String]
  ) throws {
    try store.command(words("set-metadata", ["-m", "\(owner)-\(index)", "kept-\(owner)"]))
  }

  /// An image of our own imported, tagged by a load, and deleted.
  private static func loadRound(_ store: SharedStore, _ index: Int) throws {
    let archive = store.directory + "/own.tar"
    if index == 0 {
      try store.command([
        "python3", repositoryFile("Tests/InteropTests/make-single-layer-image.py").string, archive,
      ])
    }
    try store.stowage("load", "-n", "localhost/own:\(index)", archive)
    let image = try store.stowage("image", "localhost/own:\(index)")
    guard image.lines.contains("Name: localhost/own:\(index)") else { throw Unexpected(image.output) }
    try store.stowage("delete-image", "localhost/own:\(index)")
  }

  /// Podman creates, exports and removes a container, and sometimes loads the image again.
  private static func podmanRound(_ store: SharedStore, _ index: Int) throws {
    let id = try store.podman("create", "--network", "none", "localhost/stowage-demo:latest", "/bin/sh").line
    try store.podman("rm", id)
    if index % 3 == 0 { try store.podman("load", "-q", "-i", try DemoImage.dockerArchive()) }
    // Not `podman images`: it reads each listed image anew, and fails if another loop deleted one meanwhile.
    try store.podman("image", "exists", "localhost/stowage-demo:latest")
  }
}

/// A round saw something that the store must never show.
private struct Unexpected: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Runs blocking work on a thread of its own: eight loops would starve the cooperative pool of a small machine.
private func onThread(_ work: @escaping @Sendable () -> Void) async {
  await withCheckedContinuation { continuation in
    let body: @Sendable () -> Void = {
      work()
      continuation.resume()
    }
    do { try PlainThread.detach(body) } catch { body() }
  }
}
