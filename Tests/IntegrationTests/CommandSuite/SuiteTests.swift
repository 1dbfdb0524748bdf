// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import Testing

/// Every command and alias: first the grammar of each name, then transcripts, one text per chapter of the
/// specification of the command line, in a fresh store of each driver.
@Suite("Every command") struct SuiteTests {
  static let chapters = [
    "layers": layers, "images": images, "containers": containers, "creating": creating, "deleting": deleting,
    "diffs": diffs, "names": names, "items": items, "mounting": mounting, "store": wholeStore,
    "additional store": additionalStore, "mapping": mapping,
  ]

  @Test(.tags(.driver, .slow), arguments: Drivers.all, chapters.keys.sorted())
  func `What each command shows`(driver: String, chapter: String) throws {
    let text = try #require(Self.chapters[chapter])
    try CommandStore(driver, checksFlushes: true).replay(text)
  }

  /// All chapters but those whose mounts last longer than a command, or whose files belong to others.
  @Test(
    .tags(.root, .driver, .slow), .enabled(if: isRoot, "makes users"), arguments: Drivers.all,
    chapters.keys.filter { !["mounting", "mapping", "additional store"].contains($0) }.sorted())
  func `What each command shows to an ordinary user`(driver: String, chapter: String) throws {
    let text = try #require(Self.chapters[chapter])
    let user = try OrdinaryUser()
    let store = try CommandStore(driver, as: user)
    try store.replay(text)
    let owner = try StowageTestSupport.run("stat", "-c", "%U", store.graphRoot).outputText
    #expect(owner == "\(user.name)\n")
  }

  @Test func `There are 61 commands, and a transcript for each name`() {
    #expect(CommandRow.all.count == 61)
    let used = Set(Self.chapters.values.flatMap { Transcript($0).steps.compactMap(\.words.first) })
    for row in CommandRow.all {
      for name in row.names { #expect(used.contains(name), "no transcript of \(name)") }
    }
  }

  @Test(.tags(.slow), arguments: CommandRow.all)
  func `Counts of arguments and options are checked under every name`(row: CommandRow) throws {
    let store = try CommandStore("vfs")
    for name in row.names {
      let unknown = try store(name, "--bogus")
      let see = "See '\(store.program) \(name) --help'.\n"
      #expect(unknown.shows(error: "flag provided but not defined: --bogus\n\(see)", status: 125), "\(unknown)")
      let json = try store(name, "--json=maybe")
      let text =
        row.hasJSON
        ? "invalid boolean value \"maybe\" for  --json: strconv.ParseBool: parsing \"maybe\": invalid syntax"
        : "flag provided but not defined: --json"
      #expect(json.shows(error: "\(text)\n\(see)", status: 125), "\(json)")
      if row.minimum > 0 {
        let few = try store.run([name] + Array(repeating: "a", count: row.minimum - 1))
        #expect(few.outputText.hasPrefix("\(name): more arguments required.\nUsage: containers-storage "), "\(few)")
        #expect(few.errorText.hasPrefix("\n  ") && few.status == .exited(1), "\(few)")
      }
      if let maximum = row.maximum {
        let arguments = Array(repeating: "a", count: maximum + 1)
        let many = try store.run([name] + arguments)
        let start = "\(name): too many arguments ([\(arguments.joined(separator: " "))]).\nUsage: containers-storage "
        #expect(many.outputText.hasPrefix(start), "\(many)")
        #expect(many.errorText.hasPrefix("\n  ") && many.status == .exited(1), "\(many)")
      }
    }
    #expect(!store.directory.appending("g").exists, "reported without touching the store")
  }
}
