// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// The tree that headers say there is (store-semantics 22.3) is the one that extraction makes of them (archive-and-diff 4.2).
@Suite("Expected trees", .tags(.root), .enabled(if: isRoot, "owners are set"))
struct ExpectedTreeTests {
  /// Extracts archives one over the other, and compares the tree with what their headers say.
  private func differences(_ archives: [Archive]) throws -> (texts: [String], isUncertain: Bool) {
    try withTemporaryDirectory { root in
      var expected = ExpectedTree()
      for (index, archive) in archives.enumerated() {
        let split = root.appending("split\(index)")
        try apply(archive.bytes(), to: root.appending("t"), plain, ApplyRequest(tarSplit: split))
        expected.apply(try LayerHeaders(tarSplit: split))
      }
      let found = try compareTree(
        at: root.appending("t"), with: expected, maps: IDMaps(), ComparisonLimits())
      return (found.map(\.text), expected.isUncertain)
    }
  }

  /// A header of a hard link with everything different from its target's.
  private func link(_ name: String, _ target: String, mode: Int64 = 0o600) -> TarHeader {
    TarHeader(
      kind: .hardLink, name: Array(name.utf8), linkName: Array(target.utf8), mode: mode, uid: 7, gid: 8,
      modified: ArchiveTime(seconds: 1_650_000_000))
  }

  @Test(arguments: ["a", "./a", "/a", "x/../a", "a/", ".//a/."])
  func `A hard link gives its file its own owner, mode and time, however its target is written`(target: String) throws {
    var archive = Archive()
    archive.file("a", "text", mode: 0o644, uid: 1)
    archive.file("c", "text")
    archive.add(link("./b", target))
    let found = try differences([archive])
    #expect(found.texts == [])
    #expect(!found.isUncertain)
  }

  @Test func `A further name of a file stays when another layer replaces the first`() throws {
    var lower = Archive()
    lower.file("a", "first", mode: 0o640)
    lower.add(link("b", "a", mode: 0o640))
    var upper = Archive()
    upper.file("a", "the second", mode: 0o644)
    upper.add(link("c", "b", mode: 0o600))
    let found = try differences([lower, upper])
    #expect(found.texts == [])
    #expect(!found.isUncertain)
  }

  @Test func `A hard link to a file of a lower layer changes all of its names`() throws {
    var lower = Archive()
    lower.file("a", "text")
    lower.add(link("b", "a", mode: 0o644))
    var upper = Archive()
    upper.add(link("c", "b", mode: 0o400))
    upper.hardLink("d", "c", mode: 0o404)
    let found = try differences([lower, upper])
    #expect(found.texts == [])
    #expect(!found.isUncertain)
  }

  @Test func `A damaged file with several names is found under each of them`() throws {
    try withTemporaryDirectory { root in
      var archive = Archive()
      archive.file("a", "text", mode: 0o644)
      archive.add(link("b", "./a", mode: 0o600))
      let split = root.appending("split")
      try apply(archive.bytes(), to: root.appending("t"), plain, ApplyRequest(tarSplit: split))
      try Syscall.chmod(root.appending("t/b"), mode: 0o644)
      var expected = ExpectedTree()
      expected.apply(try LayerHeaders(tarSplit: split))
      let found = try compareTree(at: root.appending("t"), with: expected, maps: IDMaps(), ComparisonLimits())
      #expect(
        found.map(\.text) == [
          "+/a(mode:0600￫0644)", "+/b(mode:0600￫0644)", "/a(mode:0600￫0644)", "/b(mode:0600￫0644)",
        ])
    }
  }

  @Test func `Archives extracted over each other make the tree that their headers tell`() throws {
    var certain = 0
    for seed in 1...20 as ClosedRange<UInt64> {
      var maker = RandomArchive(seed: seed)
      let found = try differences([maker.archive(25), maker.archive(25)])
      if found.isUncertain { continue }
      certain += 1
      #expect(found.texts == [], "seed \(seed)")
    }
    #expect(certain > 15)
  }
}

/// Makes archives whose entries can all be extracted, one archive over the other.
private struct RandomArchive {
  private enum Kind { case directory, file, link }

  private var random: SeededGenerator
  /// What is in the tree.
  private var present: [String: Kind] = ["": .directory]
  /// What the archive has an entry for.
  private var written: Set<String> = []

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  mutating func archive(_ count: Int) -> Archive {
    let below = present
    written = []
    var made: Set<String> = []
    var archive = Archive()
    for _ in 0..<count { add(to: &archive, over: below, &made) }
    return archive
  }

  private mutating func add(to archive: inout Archive, over below: [String: Kind], _ made: inout Set<String>) {
    let parents = present.filter { $0.value == .directory }.keys.sorted()
    let parent = parents.randomElement(using: &random) ?? ""
    let base = ["a", "b", "c", "d", "e", "f"].randomElement(using: &random) ?? "a"
    let path = (parent.isEmpty ? "" : parent + "/") + base
    // An archive with a name twice is refused.
    if !written.insert(path).inserted { return }
    var header = TarHeader(
      kind: .regular, name: Array(form(of: path).utf8), mode: Int64(Int.random(in: 0..<0o1000, using: &random)),
      uid: Int64.random(in: 0..<4, using: &random), gid: Int64.random(in: 0..<4, using: &random),
      modified: ArchiveTime(seconds: Int64.random(in: 0..<2_000_000_000, using: &random)))
    let targets = present.filter { $0.value != .directory && $0.key != path }.keys.sorted()
    switch Int.random(in: 0..<9, using: &random) {
    case 0, 1:
      header.kind = .directory
      if present[path] != .directory { take(path, .directory) }
    case 2:
      // Says something about what lower layers have only.
      guard below[path] != nil, !made.contains(path) else { return }
      header.name = Array((parent.isEmpty ? "" : parent + "/").utf8) + Array(".wh.\(base)".utf8)
      remove(path)
      made.formUnion(ancestors(of: path))
      return archive.add(header)
    case 3:
      (header.kind, header.linkName) = (.symbolicLink, Array("nowhere".utf8))
      take(path, .link)
    case 4, 5, 6:
      guard let target = targets.filter({ !$0.hasPrefix(path + "/") }).randomElement(using: &random) else { return }
      (header.kind, header.linkName) = (.hardLink, Array(form(of: target).utf8))
      let kind = present[target]
      take(path, kind ?? .file)
    case 7:
      header.kind = .fifo
      take(path, .file)
    default:
      header.size = Int64.random(in: 0..<20, using: &random)
      take(path, .file)
    }
    made.formUnion(ancestors(of: path))
    made.insert(path)
    archive.add(header, [UInt8](repeating: 0x78, count: Int(header.size)))
  }

  private mutating func take(_ path: String, _ kind: Kind) {
    remove(path)
    present[path] = kind
  }

  private mutating func remove(_ path: String) {
    present = present.filter { $0.key != path && !$0.key.hasPrefix(path + "/") }
  }

  private func ancestors(of path: String) -> [String] {
    let parts = path.split(separator: "/")
    return parts.indices.map { parts[...$0].joined(separator: "/") }
  }

  /// A path in one of its forms.
  private mutating func form(of path: String) -> String {
    ["\(path)", "./\(path)", "/\(path)", "./y/../\(path)", "\(path)/."].randomElement(using: &random) ?? path
  }
}
