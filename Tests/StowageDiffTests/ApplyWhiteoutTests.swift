// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Whiteouts", .tags(.root), .enabled(if: isRoot, "devices and trusted attributes"))
struct ApplyWhiteoutTests {
  private func opaque(_ path: FilePath) -> [UInt8]? {
    "trusted.overlay.opaque".withCString { (try? Syscall.lgetxattr(path, $0)) ?? nil }
  }

  @Test func `Overlay form: devices and the opaque attribute, changes and sizes as in check 10`() throws {
    try withTemporaryDirectory { root in
      let (base, child) = (root.appending("base"), root.appending("child"))
      try apply(to: base) {
        $0.file("l", "1")
        $0.directory("d/")
        $0.file("d/f", "1")
        $0.directory("del/")
        $0.file("del/a", "1")
      }
      let result = try apply(to: child) {
        $0.file(".wh.l")
        $0.directory("d/", mode: 0o700)
        $0.file("d/.wh.f")
        $0.directory("del/")
        $0.file("del/.wh..wh..opq")
        $0.file("del/b", "1")
      }
      #expect(
        try listing(child, "%P|%y|%m") == ["d/f|c|0", "del/b|f|644", "del|d|755", "d|d|700", "l|c|0"].sortedByBytes)
      #expect(opaque(child.appending("del")) == [0x79])
      #expect(result.contentSize == 1)
      #expect(try diskUsage(of: child).size == 1)
      let changes = try overlayChanges(upper: child, lowers: [base])
      #expect(
        changes.map { "\($0.kind) \(String(decoding: $0.path, as: UTF8.self))" } == [
          "modify /d", "delete /d/f", "delete /del", "add /del/b", "delete /l",
        ])
    }
  }

  @Test func `Plain form: the things are gone, changes as in check 10`() throws {
    try withTemporaryDirectory { root in
      let (base, child) = (root.appending("base"), root.appending("child"))
      for tree in [base, child] {
        try apply(to: tree, plain) {
          $0.file("l", "1")
          $0.directory("d/")
          $0.file("d/f", "1")
          $0.directory("del/")
          $0.file("del/a", "1")
        }
      }
      let result = try apply(to: child, plain) {
        $0.file(".wh.l")
        $0.directory("d/", mode: 0o700)
        $0.file("d/.wh.f")
        $0.directory("del/", mode: 0o711)
        $0.file("del/.wh..wh..opq")
        $0.file("del/b", "1")
      }
      #expect(try listing(child, "%P|%y") == ["del/b|f", "del|d", "d|d"].sortedByBytes)
      #expect(result.contentSize == 1)
      let changes = try treeChanges(new: child, old: base)
      #expect(
        changes.map { "\($0.kind) \(String(decoding: $0.path, as: UTF8.self))" } == [
          "modify /d", "delete /d/f", "modify /del", "delete /del/a", "add /del/b", "delete /l",
        ])
    }
  }

  @Test func `A whiteout before a new directory of the same name makes that opaque, in either order`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("1")) {
        $0.file(".wh.d")
        $0.directory("d/")
        $0.file("d/new", "1")
      }
      try apply(to: root.appending("2")) {
        $0.directory("d/")
        $0.file("d/new", "1")
        $0.file(".wh.d")
      }
      try apply(to: root.appending("3")) {
        $0.file(".wh.d")
        $0.file("d/new", "1")
      }
      for name in ["1", "2", "3"] {
        #expect(opaque(root.appending(name).appending("d")) == [0x79])
        #expect(try listing(root.appending(name), "%P|%y") == ["d/new|f", "d|d"])
      }
      for order in [true, false] {
        let tree = root.appending("plain-\(order)")
        try apply(to: tree, plain) { $0.file("d/old", "1") }
        try apply(to: tree, plain) {
          if order { $0.file(".wh.d") }
          $0.directory("d/")
          $0.file("d/new", "1")
          if !order { $0.file(".wh.d") }
        }
        #expect(try listing(tree, "%P|%y") == ["d/new|f", "d|d"])
      }
    }
  }

  @Test func `A whiteout does not touch what the same archive brings`() throws {
    try withTemporaryDirectory { root in
      for (index, options) in [ApplyOptions(), plain].enumerated() {
        let tree = root.appending("\(index)")
        try apply(to: tree, options) {
          $0.file("a", "new")
          $0.file(".wh.a")
        }
        #expect(try listing(tree, "%P|%y|%s") == ["a|f|3"])
      }
    }
  }

  @Test func `An opaque mark after directories without an entry keeps what is in them`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("t"), plain) {
        $0.file("d/old/x", "1")
        $0.file("d/both/x", "1")
        $0.file("d/plain", "1")
      }
      try apply(to: root.appending("t"), plain) {
        $0.file("d/fresh/y", "2")
        $0.file("d/both/y", "2")
        $0.file("d/.wh..wh..opq")
      }
      #expect(
        try listing(root.appending("t"), "%P|%y") == [
          "d/both/y|f", "d/both|d", "d/fresh/y|f", "d/fresh|d", "d|d",
        ])
    }
  }

  @Test func `Below a whiteout a further one means nothing`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("t")) {
        $0.file(".wh.foo")
        $0.file("foo/.wh.bar")
        $0.file("foo/.wh..wh..opq")
      }
      #expect(try listing(root.appending("t"), "%P|%y|%m") == ["foo|c|0"])
    }
  }

  @Test func `Applying again replaces what an earlier archive brought`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("t")) {
        $0.file("a", "1")
        $0.file("d/x", "1")
      }
      try apply(to: root.appending("t")) {
        $0.file(".wh.a")
        $0.file(".wh.d")
        $0.file(".wh.never")
      }
      #expect(try listing(root.appending("t"), "%P|%y") == ["a|c", "d|c", "never|c"])
      try apply(to: root.appending("t")) { $0.file(".wh.a") }
      #expect(try listing(root.appending("t"), "%P|%y") == ["a|c", "d|c", "never|c"])
    }
  }

  @Test func `Literal form writes the names as they are`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("t"), ApplyOptions(whiteouts: .literal)) {
        $0.file(".wh.a", mode: 0o600)
        $0.file("d/.wh..wh..opq")
      }
      #expect(try listing(root.appending("t"), "%P|%y|%m") == [".wh.a|f|600", "d/.wh..wh..opq|f|644", "d|d|755"])
    }
  }

  @Test(arguments: [".wh.", ".wh..", ".wh...", "d/.wh..."])
  func `A whiteout without a proper name is refused`(name: String) throws {
    try withTemporaryDirectory { root in
      for options in [ApplyOptions(), plain] {
        let error = try failure(to: root.appending("t"), options) { $0.file(name) }
        #expect(error?.code == .invalidArchive)
      }
    }
  }

  @Test func `AUFS' own names: dropped in plain trees, links there are copies`() throws {
    try withTemporaryDirectory { root in
      try apply(to: root.appending("t"), plain) {
        $0.file(".wh..wh.aufs")
        $0.directory(".wh..wh.plnk/")
        $0.file(".wh..wh.plnk/1.2", "shared", mode: 0o640)
        $0.hardLink("a", ".wh..wh.plnk/1.2")
        $0.hardLink("b", "/.wh..wh.plnk/1.2")
      }
      #expect(try listing(root.appending("t"), "%P|%y|%m|%s|%n") == ["a|f|640|6|1", "b|f|640|6|1"])
      let error = try failure(to: root.appending("u"), plain) { $0.hardLink("a", ".wh..wh.plnk/9") }
      #expect(error?.message == "invalid aufs hardlink")
      try apply(to: root.appending("o")) { $0.file(".wh..wh.aufs") }
      #expect(try listing(root.appending("o"), "%P|%y") == [".wh.aufs|c"])
    }
  }
}

extension [String] {
  /// In the order of `LC_ALL=C sort`.
  var sortedByBytes: [String] { sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
}
