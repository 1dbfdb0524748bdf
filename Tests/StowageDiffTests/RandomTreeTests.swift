// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageCompression
import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Makes and changes trees at random.
private struct RandomTree {
  var random: SeededGenerator
  private var clock = 1_000_000_000

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// A script that makes up to `count` changes in the working directory.
  mutating func script(_ count: Int) -> String {
    var lines: [String] = []
    for _ in 0..<count {
      clock += 1
      let path = path()
      let make = "mkdir -p \"$(dirname \(path))\" 2>/dev/null"
      switch Int.random(in: 0..<12, using: &random) {
      case 0...3:
        lines.append(
          "\(make) && rm -rf \(path) && head -c \(Int.random(in: 0..<5000, using: &random)) /dev/zero > \(path)")
      case 4, 5: lines.append("rm -rf \(path)")
      case 6: lines.append("\(make) && rm -rf \(path) && mkdir \(path)")
      case 7: lines.append("\(make) && rm -rf \(path) && ln -s \(Bool.random(using: &random) ? "/x" : "a") \(path)")
      case 8: lines.append("\(make) && rm -rf \(path) && mkfifo \(path)")
      case 9:
        lines.append(
          "[ -e \(path) ] && [ ! -L \(path) ] && chmod \(String(Int.random(in: 0..<0o7777, using: &random) | 0o700, radix: 8)) \(path)"
        )
      case 10: lines.append("[ -e \(path) ] && chown -h \(Int.random(in: 0..<5, using: &random)):3 \(path)")
      default: lines.append("[ -f \(path) ] && [ ! -L \(path) ] && setfattr -n user.x -v \(clock) \(path)")
      }
      lines.append("[ -e \(path) ] || [ -L \(path) ] && touch -h -d @\(clock) \(path)")
    }
    return lines.joined(separator: "\n") + "\ntrue\n"
  }

  private mutating func path() -> String {
    let names = ["a", "b", "c", "a-b", "d e"]
    let depth = Int.random(in: 1...4, using: &random)
    return "'" + (0..<depth).map { _ in names.randomElement(using: &random) ?? "a" }.joined(separator: "/") + "'"
  }
}

@Suite("Random trees", .tags(.root), .enabled(if: isRoot, "owners and devices"))
struct RandomTreeTests {
  private static let format = "%P|%y|%m|%U:%G|%Ts|%s|%l|%n"

  @Test(.tags(.slow), arguments: 1...6 as ClosedRange<UInt64>)
  func `The difference of two trees, applied to the first, gives the second`(seed: UInt64) throws {
    try withTemporaryDirectory { root in
      var tree = RandomTree(seed: seed)
      _ = try shell("mkdir old && cd old && \(tree.script(60))", directory: root)
      _ = try shell("cp -a old new && cd new && \(tree.script(40))", directory: root)
      let difference = try treeDiff(root.appending("new"), root.appending("old"))
      _ = try shell("cp -a old applied", directory: root)
      try apply(difference, to: root.appending("applied"), plain)
      // Directories get the times of their entries; those that only lost something have one, too.
      #expect(try listing(root.appending("applied"), Self.format) == listing(root.appending("new"), Self.format))
      #expect(try attributes(root.appending("applied")) == attributes(root.appending("new")))
    }
  }

  @Test(.tags(.slow), arguments: 1...6 as ClosedRange<UInt64>)
  func `An upper directory written and extracted again is the same`(seed: UInt64) throws {
    try withTemporaryDirectory { root in
      var tree = RandomTree(seed: seed &* 77)
      _ = try shell("mkdir lower upper work merged && cd lower && \(tree.script(60))", directory: root)
      let mounted = try shell(
        "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,redirect_dir=off,metacopy=off,index=off merged",
        directory: root)
      guard mounted.isSuccess else { return }
      defer { _ = try? shell("umount merged", directory: root) }
      _ = try shell("cd merged && \(tree.script(40))", directory: root)
      let expected = try listing(root.appending("merged"), Self.format)
      #expect(try shell("umount merged", directory: root).isSuccess)
      let archive = try overlayDiff(root.appending("upper"), [root.appending("lower")])
      try apply(archive, to: root.appending("second"))
      _ = try shell("rm -rf work && mkdir work", directory: root)
      let again = try shell(
        "mount -t overlay overlay -o lowerdir=lower,upperdir=second,workdir=work,redirect_dir=off,metacopy=off,index=off merged",
        directory: root)
      #expect(again.isSuccess)
      #expect(try listing(root.appending("merged"), Self.format) == expected)
      // The same archive, executed on a copy of the lower tree.
      _ = try shell("cp -a lower executed", directory: root)
      try apply(archive, to: root.appending("executed"), plain)
      #expect(try listing(root.appending("executed"), Self.format) == expected)
    }
  }

  @Test(.tags(.slow), arguments: 1...4 as ClosedRange<UInt64>)
  func `Plain extraction equals that of GNU tar`(seed: UInt64) throws {
    try withTemporaryDirectory { root in
      var tree = RandomTree(seed: seed &* 1000)
      _ = try shell(
        "mkdir s byTar && cd s && \(tree.script(120))\nfind . -type f | head -3 | while read f; do ln \"$f\" \"$f-link\"; done",
        directory: root)
      _ = try shell(
        "tar --format=pax --xattrs -C s -cf a.tar . && tar --numeric-owner --xattrs -xpf a.tar -C byTar",
        directory: root)
      try apply(root.appending("a.tar").readBytes(), to: root.appending("ours"), plain)
      #expect(try listing(root.appending("ours")) == listing(root.appending("byTar")))
      #expect(try attributes(root.appending("ours")) == attributes(root.appending("byTar")))
    }
  }
}
