// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageCompression
import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Re-assembly", .tags(.root), .enabled(if: isRoot, "owners are set"))
struct ReassemblyTests {
  private func reassembled(_ root: FilePath, _ trees: [FilePath]? = nil) -> Result<[UInt8], StorageError> {
    let sink = BytesSink()
    do throws(StorageError) {
      try reassembleLayer(tarSplit: root.appending("split"), roots: trees ?? [root.appending("t")], to: sink)
      return .success(sink.bytes)
    } catch {
      return .failure(error)
    }
  }

  private func store(_ root: FilePath, _ build: (inout Archive) -> Void) throws -> [UInt8] {
    var archive = Archive()
    build(&archive)
    let bytes = try archive.bytes()
    try apply(bytes, to: root.appending("t"), ApplyOptions(), ApplyRequest(tarSplit: root.appending("split")))
    return bytes
  }

  @Test(arguments: ["XYZ", "toolong", "x", ""])
  func `A changed, longer, shorter or missing file is noticed by name`(text: String) throws {
    try withTemporaryDirectory { root in
      _ = try store(root) { $0.file("d/f\"q", "abc") }
      try root.appending("t/d/f\"q").write(text)
      guard case .failure(let error) = reassembled(root) else {
        Issue.record("no error")
        return
      }
      #expect(error.message == "file integrity checksum failed for \"d/f\\\"q\"")
      #expect(error.code == .corrupt)
      try Syscall.unlink(root.appending("t/d/f\"q"))
      guard case .failure(let missing) = reassembled(root) else {
        Issue.record("no error")
        return
      }
      #expect(missing.message == "open \(root)/t/d/f\"q: no such file or directory")
    }
  }

  /// archive-and-diff 4.2.1: names are cleaned by their text, whatever the tree has.
  @Test(arguments: ["f/.", "nosuch/../f", "f/../f", "./d/../f", "d/./../../f"])
  func `A file is found under the name that it was extracted to`(name: String) throws {
    try withTemporaryDirectory { root in
      let bytes = try store(root) { $0.file(name, "content") }
      #expect(try root.appending("t/f").readText() == "content")
      #expect(try reassembled(root).get() == bytes)
    }
  }

  @Test func `No name and no link reads a file of the host`() throws {
    try withTemporaryDirectory { root in
      let bytes = try store(root) {
        $0.directory("outside/")
        $0.symbolicLink("s", "/outside")
        $0.file("s/secret", "inner")
        $0.file("../../secret2", "inner")
        $0.symbolicLink("abs", "\(root)")
      }
      guard case .success(let output) = reassembled(root) else {
        Issue.record("failed")
        return
      }
      #expect(output == bytes)
      // The link inside now leads to a file of the host by its absolute name; the content must not appear.
      try root.appending("host").write("HOSTSECRET!")
      _ = try shell("rm -r t/outside/secret && ln -s \(root)/host t/outside/secret", directory: root)
      let sink = BytesSink()
      #expect(throws: StorageError.self) {
        try reassembleLayer(tarSplit: root.appending("split"), roots: [root.appending("t")], to: sink)
      }
      #expect(!String(decoding: sink.bytes, as: UTF8.self).contains("HOSTSECRET"))
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `Anything but a regular file is refused without being opened for reading`() throws {
    try withTemporaryDirectory { root in
      _ = try store(root) { $0.file("f", "abc") }
      _ = try shell("rm t/f && mkfifo t/f", directory: root)
      guard case .failure(let error) = reassembled(root) else {
        Issue.record("no error")
        return
      }
      #expect(error.message == "file integrity checksum failed for \"f\"")
    }
  }

  @Test func `Files are looked for in one tree after the other`() throws {
    try withTemporaryDirectory { root in
      let bytes = try store(root) { $0.file("d/f", "abc") }
      try Syscall.mkdir(root.appending("empty"), mode: 0o755)
      guard case .success(let output) = reassembled(root, [root.appending("empty"), root.appending("t")]) else {
        Issue.record("failed")
        return
      }
      #expect(output == bytes)
    }
  }

  /// A file with holes at both ends and in the middle, with a second name, in an archive of a format.
  private func holed(_ format: String, _ root: FilePath) throws -> [UInt8] {
    let made = try shell(
      """
      rm -rf s t split && mkdir s && cd s && truncate -s 1M f && printf x | dd of=f seek=500000 bs=1 conv=notrunc 2>/dev/null &&
      printf y | dd of=f seek=700000 bs=1 conv=notrunc 2>/dev/null && ln f g && tar \(format) -cf ../a.tar .
      """, directory: root)
    #expect(made.isSuccess, "\(made)")
    return try root.appending("a.tar").readBytes()
  }

  @Test(arguments: [
    "--sparse --format=pax --sparse-version=0.0", "--sparse --format=pax --sparse-version=0.1",
    "--sparse --format=pax --sparse-version=1.0", "--format=ustar",
  ])
  func `A sparse file and a hard link with a size come back byte for byte`(format: String) throws {
    try withTemporaryDirectory { root in
      let archive = try holed(format, root)
      #expect(format == "--format=ustar" || archive.count < 1 << 16)
      try apply(archive, to: root.appending("t"), ApplyOptions(), ApplyRequest(tarSplit: root.appending("split")))
      #expect(try listing(root.appending("t"), "%P|%s|%n") == ["f|1048576|2", "g|1048576|2"])
      #expect(try run("cmp", root.appending("s/f").string, root.appending("t/f").string).isSuccess)
      guard case .success(let output) = reassembled(root) else {
        Issue.record("failed for \(format)")
        return
      }
      #expect(output == archive)
    }
  }

  /// As the reference does: other programs could not extract the layer (archive-and-diff 3.2).
  @Test func `A sparse file in the old form of GNU is refused by its kind`() throws {
    try withTemporaryDirectory { root in
      let error = try failure(try holed("--sparse --format=gnu", root), to: root.appending("t"))
      #expect(error?.message == "unhandled tar header type 83")
      #expect(try root.appending("t").names() == [])
    }
  }

  @Test(arguments: [0, 5, 60])
  func `A damaged tar-split file is an error`(length: Int) throws {
    try withTemporaryDirectory { root in
      _ = try store(root) { $0.file("f", "abc") }
      let bytes = try root.appending("split").readBytes()
      try root.appending("split").write(Array(bytes[..<min(length, bytes.count)]))
      guard case .failure(let error) = reassembled(root) else {
        Issue.record("no error")
        return
      }
      if length == 0 { #expect(error.message == "EOF") }
    }
  }
}
