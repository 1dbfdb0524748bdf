// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import StowageDiff

/// Archives that remove many directories, over trees that have them.
@Suite("Many removals") struct ManyRemovalsTests {
  private func path(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

  /// Seconds of processor time for as many directories that an archive brings as it removes.
  private func seconds(_ count: Int) -> Double {
    let (new, old) = ((0..<count).map { path("new/\($0)") }, (0..<count).map { path("old/\($0)") })
    var made = MadePaths()
    let start = clock()
    for number in 0..<count {
      made.insert(new[number])
      made.remove(below: old[number])
    }
    #expect(new.allSatisfy(made.contains))
    return Double(clock() - start) / Double(CLOCKS_PER_SEC)
  }

  @Test func `To remove four times as many directories takes some four times as long`() {
    let (few, many) = (seconds(2000), seconds(8000))
    #expect(many < 10 * few, "\(few) s, \(many) s")
  }

  @Test func `What was removed is that with all below it, until it is made again`() {
    var removed = RemovedPaths()
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
    for text in ["a/b/c", "ab/c"] { made.insert(path(text)) }
    made.remove(below: path("a"))
    #expect(made.contains(path("a")) && made.contains(path("ab/c")))
    #expect(!made.contains(path("a/b")) && !made.contains(path("a/b/c")))
    made.insert(path("a/b/c"))
    #expect(made.contains(path("a/b")) && made.contains(path("a/b/c")))
  }
}
