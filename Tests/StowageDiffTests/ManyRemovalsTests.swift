// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@testable import StowageDiff

/// Archives that remove many directories, over trees that have them.
@Suite("Many removals") struct ManyRemovalsTests {
  /// Seconds of processor time that an archive takes which brings `count` directories and removes as many.
  private func seconds(_ count: Int) throws -> Double {
    try withTemporaryDirectory { root in
      for number in 0..<count { try Syscall.mkdir(root.appending("old\(number)"), mode: 0o755) }
      var archive = Archive()
      for number in 0..<count {
        archive.directory("new\(number)/", uid: Int64(getuid()), gid: Int64(getgid()))
      }
      for number in 0..<count { archive.file(".wh.old\(number)") }
      let bytes = try archive.bytes()
      let start = clock()
      try apply(bytes, to: root, plain)
      let taken = Double(clock() - start) / Double(CLOCKS_PER_SEC)
      #expect(try root.names().count == count)
      return taken
    }
  }

  @Test
  func `An archive that removes four times as many directories takes some four times as long`()
    throws
  {
    let (few, many) = (try seconds(300), try seconds(1200))
    #expect(many < 10 * few, "\(few) s, \(many) s")
  }

  @Test func `What was removed is that with all below it, until it is made again`() {
    var removed = RemovedPaths()
    func path(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }
    let first = removed.step
    removed.remove(path("a/b"))
    let second = removed.step
    #expect(
      removed.haveRemoved(path("a/b"), since: first)
        && removed.haveRemoved(path("a/b/c/d"), since: first))
    #expect(!removed.haveRemoved(path("a/b"), since: first, includingItself: false))
    #expect(removed.haveRemoved(path("a/b/c"), since: first, includingItself: false))
    for other in ["a", "a/bc", "a/c", "b", "a/b", "a/b/c"] {
      #expect(
        !removed.haveRemoved(
          path(other), since: other.hasPrefix("a/b") && other != "a/bc" ? second : first))
    }
    removed.remove(path("a"))
    #expect(
      removed.haveRemoved(path("a/b/c"), since: second)
        && removed.haveRemoved(path("a"), since: second))
  }

  @Test
  func `What an archive made is forgotten below a directory that it removes, and not beside it`() {
    var made = MadePaths()
    func path(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }
    for text in ["a/b/c", "ab/c"] { made.insert(path(text)) }
    made.remove(below: path("a"))
    #expect(made.contains(path("a")) && made.contains(path("ab/c")))
    #expect(!made.contains(path("a/b")) && !made.contains(path("a/b/c")))
    made.insert(path("a/b/c"))
    #expect(made.contains(path("a/b")) && made.contains(path("a/b/c")))
  }
}
