// SPDX-License-Identifier: Apache-2.0
import StowageTestSupport
import SystemPackage
import Testing

/// Transcripts of the reference at 1.64-dev, replayed (Tests/Fixtures/samples/README.md).
@Suite("Transcripts of the reference", .tags(.root), .enabled(if: isRoot, "the sample layers have owners and devices"))
struct TranscriptTests {
  /// One command of a transcript with what it printed on both streams.
  struct Step {
    let words: [String]
    var expected = ""
    /// The output is the digest of the command's output.
    let isDigest: Bool
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `What the reference wrote reads back as it printed it`(
    driver: String
  )
    throws
  {
    let store = try CommandStore(driver)
    try unpackSample("\(driver).tar.zst", into: store.directory.path)
    _ = try run("mv", store.directory.appending("G").string, store.graphRoot)
    let (_, queries) = try TranscriptTests.steps(driver)
    for step in queries {
      let ours = try perform(step, on: store)
      let same = TranscriptTests.comparable(ours, step, store) == TranscriptTests.comparable(step.expected, step, store)
      #expect(same, "\(step.words)\n--- expected\n\(step.expected)--- ours\n\(ours)")
    }
  }

  @Test(.tags(.driver, .slow), arguments: Drivers.all) func `The same commands print the same`(driver: String) throws {
    let store = try CommandStore(driver)
    let archives = try run("sh", "-c", "cp \(fixture("samples").string)/l?.tar* \(store.directory.path.string)")
    #expect(archives.isSuccess)
    try unpackSample("\(driver).tar.zst", into: store.directory.path)
    let images = store.directory.path.string + "/G/\(driver)-images"
    let item = try run("sh", "-c", "cp \(images)/*/manifest \(store.directory.path.string)/manifest")
    #expect(item.isSuccess, "\(item)")
    let (commands, queries) = try TranscriptTests.steps(driver)
    for step in commands { try check(step, on: store) }
    // The transcript's author changed twelve bytes in the container.
    let mountPoint = try store("mount", "web").outputText.dropLast()
    try FilePath(String(mountPoint)).appending("change").write("twelve bytes")
    _ = try store("unmount", "web")
    for step in queries { try check(step, on: store) }
  }

  private func check(_ step: Step, on store: CommandStore) throws {
    let ours = TranscriptTests.withoutChance(try perform(step, on: store))
    let theirs = TranscriptTests.withoutChance(step.expected)
    let same = TranscriptTests.comparable(ours, step, store) == TranscriptTests.comparable(theirs, step, store)
    #expect(same, "\(step.words)\n--- expected\n\(theirs)--- ours\n\(ours)")
  }

  private func perform(_ step: Step, on store: CommandStore) throws -> String {
    // Both streams in one, as a terminal shows them.
    let merge = step.isDigest ? "exec 2>/dev/null; \"$@\" | sha256sum" : "exec 2>&1; exec \"$@\""
    return try run(
      ["/bin/sh", "-c", merge, "sh"] + store.words(step.words), adding: store.environment,
      directory: store.directory.path
    ).outputText
  }

  /// The commands that build the store, and those that only look at it.
  private static func steps(_ driver: String) throws -> (building: [Step], looking: [Step]) {
    var steps: [Step] = []
    for line in try fixture("samples/\(driver).txt").readText().split(separator: "\n", omittingEmptySubsequences: false)
    {
      if line.hasPrefix("$ ") {
        steps.append(Step(words: words(line.dropFirst(2)), isDigest: false))
      } else if line.hasPrefix("# sha256 of ") {
        steps.append(Step(words: words(line.dropFirst("# sha256 of ".count)), isDigest: true))
      } else if !steps.isEmpty, !line.isEmpty {
        steps[steps.count - 1].expected += line + "\n"
      }
    }
    // Not part of this release.
    steps.removeAll { $0.words == ["check"] }
    let first = steps.firstIndex { $0.words == ["layers", "--json"] } ?? 0
    return (Array(steps[..<first]), Array(steps[first...]))
  }

  /// The transcripts do not quote; these arguments have spaces.
  private static func words(_ line: Substring) -> [String] {
    for phrase in ["meta <&> \"é\"", "image metadata", "container metadata"] {
      guard let range = line.firstRange(of: phrase) else { continue }
      return words(line[..<range.lowerBound]) + [phrase] + words(line[range.upperBound...])
    }
    return line.split(separator: " ").map(String.init)
  }

  /// Without times, and with a word for the container's layer, whose identifier is random.
  private static func withoutChance(_ text: String) -> String {
    text.replacing(#/"created":"[^"]*"/#, with: "\"created\":\"…\"")
      .replacing(#/(^|\s|")(?!1111|2222|3333|4444|aaaa|c1c1)[0-9a-f]{64}(?=$|\s(?! -)|")/#) { "\($0.output.1)<layer>" }
  }

  private static func comparable(_ text: String, _ step: Step, _ store: CommandStore) -> [String] {
    var lines = text.split(separator: "\n").map(String.init)
    if step.words == ["status"] {
      lines = lines.filter { !$0.hasPrefix("Backing Filesystem") }.map {
        $0 == "Root: \(store.graphRoot)" ? "Root: G" : $0 == "Run Root: \(store.runRoot)" ? "Run Root: R" : $0
      }
    }
    // The comparison of trees has no order of its own.
    return step.words.first == "changes" ? lines.sorted() : lines
  }
}
