// SPDX-License-Identifier: Apache-2.0

import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@testable import StowageFiles

@Suite("Paths inside a layer") struct LayerRootTests {
  /// A tree with links that try to leave it; `secret` lies outside.
  private func makeTree(_ directory: FilePath) throws -> FilePath {
    try directory.appending("secret").write("outside")
    let root = directory.appending("root")
    for name in ["", "a", "a/b", "etc"] { try Syscall.mkdir(root.appending(FilePath(name).components), mode: 0o755) }
    try root.appending("secret").write("inside")
    try root.appending("a/b/f").write("deep")
    let links = [
      "up": "../../../secret", "absolute": "/secret", "dir": "/a/b", "a/back": "../..", "loop": "loop",
      "chain": "dir/../../secret", "slash": "secret/", "rootlink": "/", "dangling": "/none/x",
    ]
    for (name, target) in links { try Syscall.symlink(target: target, at: root.appending(FilePath(name).components)) }
    return root
  }

  @Test(arguments: [
    ("secret", "inside"), ("/secret", "inside"), ("up", "inside"), ("absolute", "inside"), ("dir/f", "deep"),
    ("../../secret", "inside"), ("a/back/secret", "inside"), ("chain", "inside"), ("rootlink/a/./b//f", "deep"),
    ("a/../dir/../b/f", "deep"), ("rootlink/rootlink/up", "inside"),
  ])
  func `Names stay inside, by the kernel and by components alike`(name: String, content: String) throws {
    try withTemporaryDirectory { directory in
      let root = try LayerRoot(makeTree(directory))
      let first = try root.open(Array(name.utf8), .readOnly)
      #expect(try String(decoding: Syscall.readAll(first.rawValue), as: UTF8.self) == content)
      let second = try root.openByComponents(name, .readOnly)
      #expect(try String(decoding: Syscall.readAll(second.rawValue), as: UTF8.self) == content)
    }
  }

  @Test(arguments: [
    ("loop", Errno.tooManySymbolicLinkLevels), ("slash", .notDirectory), ("secret/x", .notDirectory),
    ("secret/", .notDirectory), ("none", .noSuchFileOrDirectory), ("dangling", .noSuchFileOrDirectory),
    ("none/../secret", .noSuchFileOrDirectory),
  ])
  func `Both walks fail alike`(name: String, error: Errno) throws {
    try withTemporaryDirectory { directory in
      let root = try LayerRoot(makeTree(directory))
      let first = #expect(throws: Errno.self) { _ = try root.open(Array(name.utf8), .readOnly) }
      let second = #expect(throws: Errno.self) { _ = try root.openByComponents(name, .readOnly) }
      #expect(first == error && second == error)
    }
  }

  @Test func `Files are created inside and links at the end are refused on demand`() throws {
    try withTemporaryDirectory { directory in
      let path = try makeTree(directory)
      let root = try LayerRoot(path)
      for (number, name) in ["dir/new1", "a/back/new2"].enumerated() {
        let file =
          number == 0
          ? try root.openByComponents(name, [.writeOnly, .create, .exclusive], mode: 0o600)
          : try root.open(Array(name.utf8), [.writeOnly, .create, .exclusive], mode: 0o600)
        try file.close()
      }
      #expect(path.appending("a/b/new1").exists && path.appending("new2").exists)
      #expect(throws: Errno.tooManySymbolicLinkLevels) { _ = try root.openByComponents("up", [.readOnly, .noFollow]) }
      #expect(throws: Errno.tooManySymbolicLinkLevels) { _ = try root.open(Array("up".utf8), [.readOnly, .noFollow]) }
    }
  }

  @Test func `Missing directories are made through links, inside`() throws {
    try withTemporaryDirectory { directory in
      let path = try makeTree(directory)
      let root = try LayerRoot(path)
      let made = try root.makeDirectories(Array("dir/x/y".utf8), mode: 0o755)
      try Syscall.mkdirat(made.rawValue, "z", mode: 0o755)
      #expect(path.appending("a/b/x/y/z").exists)
      #expect(throws: Errno.notDirectory) { _ = try root.makeDirectories(Array("secret/x".utf8), mode: 0o755) }
    }
  }

  @Test func `A walk visits names in byte order, directories before their content`() throws {
    try withTemporaryDirectory { directory in
      let path = try makeTree(directory)
      for name in ["a.x", "a-", "B"] { try path.appending(name).write("") }
      var seen: [String] = []
      var left: [String] = []
      try walkTree(
        at: path,
        { (entry) throws(StorageError) in
          let text = String(decoding: entry.path, as: UTF8.self)
          if entry.status.kind != .symbolicLink { seen.append(text) }
          return text == "etc" ? .skip : .enter
        }, leave: { (entry) throws(StorageError) in left.append(String(decoding: entry.path, as: UTF8.self)) })
      #expect(seen == ["B", "a", "a/b", "a/b/f", "a-", "a.x", "etc", "secret"])
      #expect(left == ["a/b", "a"])
    }
  }

  @Test(.tags(.slow)) func `A chain of two thousand directories is walked`() async throws {
    raiseDescriptorLimit()
    let directory = try TemporaryDirectory()
    var current = try Syscall.open(directory.path, [.readOnly, .directory])
    for _ in 0..<2047 {
      try Syscall.mkdirat(current.rawValue, "d", mode: 0o755)
      current = try Syscall.openat(current.rawValue, "d", [.readOnly, .directory])
    }
    // On a pool thread, whose stack is the smallest that walks run on.
    let count = try await Task.detached {
      var count = 0
      try walkTree(
        at: directory.path,
        { (_) throws(StorageError) in
          count += 1
          return .enter
        })
      return count
    }.value
    #expect(count == 2047)
  }
}
