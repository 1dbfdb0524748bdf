// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageCompression
import StowageDiff
import StowageDigest
import StowageFiles
import StowageModel
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

@Suite("The bytes of an archive", .tags(.root), .enabled(if: isRoot, "owners are set"))
struct ApplyStreamTests {
  private func sample(in root: FilePath) throws -> [UInt8] {
    let source = root.appending("source")
    let made = try shell(
      """
      mkdir -p \(source)/d/e && cd \(source) && seq 20000 > d/numbers && ln d/numbers again && ln -s d/numbers l &&
      mkfifo p && printf x > "$(printf 'odd\\377<&>\\tname')" && chown 10:20 d/e && chmod 1777 d/e &&
      tar --numeric-owner -cf ../t.tar .
      """)
    #expect(made.isSuccess, "\(made)")
    return try root.appending("t.tar").readBytes()
  }

  @Test(arguments: ["cat", "gzip -c", "bzip2 -c", "xz -c", "zstd -c"])
  func `Every compression gives the same tree, diffID and ID sets, and comes back byte for byte`(command: String) throws
  {
    try withTemporaryDirectory { root in
      let archive = try sample(in: root)
      _ = try shell("\(command) t.tar > t.any", directory: root)
      let supplied = try root.appending("t.any").readBytes()
      let split = root.appending("t.tar-split.gz")
      let result = try apply(
        supplied, to: root.appending("diff"), ApplyOptions(), ApplyRequest(tarSplit: split, sync: .eachFile))
      #expect(result.diffDigest == sha256(of: archive))
      #expect(result.diffSize == Int64(archive.count))
      #expect(result.compressedDigest == sha256(of: supplied))
      #expect(result.compressedSize == Int64(supplied.count))
      let expected: [String: Compression] = [
        "cat": .none, "gzip -c": .gzip, "bzip2 -c": .bzip2, "xz -c": .xz, "zstd -c": .zstd,
      ]
      #expect(result.compression == expected[command])
      #expect(result.uidSet == [0, 10])
      #expect(result.gidSet == [0, 20])
      #expect(try Syscall.lstat(split).permissions == 0o600)
      let sink = BytesSink()
      try reassembleLayer(tarSplit: split, roots: [root.appending("diff")], to: sink)
      #expect(sink.bytes == archive)
      let format = "%P|%y|%m|%U:%G|%Ts|%s|%l|%n"
      #expect(try listing(root.appending("diff"), format) == listing(root.appending("source"), format))
    }
  }

  @Test func `What follows the end of the archive counts, is kept and is not interpreted`() throws {
    try withTemporaryDirectory { root in
      let first = try sample(in: root)
      var second = Archive()
      second.file("never", "x")
      let bytes = try first + [UInt8](repeating: 0, count: 70000) + Array("junk".utf8) + second.bytes()
      let split = root.appending("split")
      let result = try apply(bytes, to: root.appending("diff"), ApplyOptions(), ApplyRequest(tarSplit: split))
      #expect(result.diffDigest == sha256(of: bytes))
      #expect(!root.appending("diff/never").exists)
      let sink = BytesSink()
      try reassembleLayer(tarSplit: split, roots: [root.appending("diff")], to: sink)
      #expect(sink.bytes == bytes)
    }
  }

  @Test func `An empty stream is an empty layer`() throws {
    try withTemporaryDirectory { root in
      let split = root.appending("split")
      let result = try apply([], to: root.appending("diff"), ApplyOptions(), ApplyRequest(tarSplit: split))
      #expect(
        result.diffDigest.description == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
      #expect((result.diffSize, result.compressedSize, result.contentSize) == (0, 0, 0))
      #expect(result.uidSet.isEmpty && result.gidSet.isEmpty)
      let sink = BytesSink()
      try reassembleLayer(tarSplit: split, roots: [root.appending("diff")], to: sink)
      #expect(sink.bytes.isEmpty)
    }
  }

  @Test func `Whiteouts do not count in the ID sets`() throws {
    try withTemporaryDirectory { root in
      let result = try apply(to: root.appending("diff")) {
        $0.file(".wh.a", uid: 5, gid: 6)
        $0.file("d/.wh..wh..opq", uid: 5, gid: 6)
      }
      #expect(result.uidSet.isEmpty && result.gidSet.isEmpty)
    }
  }

  @Test func `Malformed archives fail with the reference's words and say where`() throws {
    try withTemporaryDirectory { root in
      var archive = Archive()
      archive.file("f", String(repeating: "x", count: 2000))
      let good = try archive.bytes()
      var badChecksum = good
      badChecksum[0] ^= 1
      for (bytes, message, origin) in [
        (Array(good[..<1000]), "unexpected EOF", ApplyFailure.Origin.archive),
        (Array("abc".utf8), "unexpected EOF", .archive),
        (badChecksum, "archive/tar: invalid tar header", .archive),
      ] {
        let error = try failure(bytes, to: root.appending("t"))
        #expect(error?.message == message)
        #expect(error?.code == .invalidArchive)
        #expect((error?.cause as? ApplyFailure)?.origin == origin)
      }
      var twice = Archive()
      twice.file("a", "1")
      twice.file("./a", "2")
      let duplicate = try failure(
        twice.bytes(), to: root.appending("u"), ApplyOptions(), ApplyRequest(tarSplit: root.appending("s")))
      #expect(duplicate?.message == "duplicates of file paths not supported")
      #expect((duplicate?.cause as? ApplyFailure)?.origin == .stream)
    }
  }

  @Test(arguments: [UInt8(ascii: "7"), UInt8(ascii: "V")])
  func `Kinds that cannot be extracted are refused by number`(kind: UInt8) throws {
    try withTemporaryDirectory { root in
      var archive = Archive()
      archive.add(TarHeader(kind: .init(rawValue: kind), name: Array("x".utf8)))
      let error = try failure(archive.bytes(), to: root.appending("t"))
      #expect(error?.message == "unhandled tar header type \(kind)")
      #expect((error?.cause as? ApplyFailure)?.origin == .entry)
    }
  }

  @Test func `A hard link to nothing fails with the bare text, as in the reference`() throws {
    try withTemporaryDirectory { root in
      let error = try failure(to: root.appending("t")) { $0.hardLink("h", "nowhere") }
      #expect(error?.message == "no such file or directory")
    }
  }

  @Test func `Global headers are no paths: an object of that name stays`() throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        "mkdir s && cd s && printf x > pax_global_header && tar --pax-option=globexthdr.name=pax_global_header,comment:=c "
          + "--format=pax -cf ../t.tar pax_global_header", directory: root)
      let result = try apply(root.appending("t.tar").readBytes(), to: root.appending("t"))
      #expect(try listing(root.appending("t"), "%P|%s") == ["pax_global_header|1"])
      #expect(result.uidSet == [0])
    }
  }

  @Test func `A wrong digest is reported with both values`() throws {
    try withTemporaryDirectory { root in
      var archive = Archive()
      archive.file("f", "x")
      let bytes = try archive.bytes()
      let (right, wrong) = (sha256(of: bytes), sha256(of: []))
      try apply(
        bytes, to: root.appending("t"), ApplyOptions(),
        ApplyRequest(expectedDiffDigest: right, expectedCompressedDigest: right))
      let error = try failure(bytes, to: root.appending("t"), ApplyOptions(), ApplyRequest(expectedDiffDigest: wrong))
      #expect(error?.code == .digestMismatch)
      #expect(error?.message.contains(right.hex) == true && error?.message.contains(wrong.hex) == true)
    }
  }

  @Test func `A raised flag stops the work`() throws {
    try withTemporaryDirectory { root in
      let flag = CancellationFlag()
      flag.cancel()
      var archive = Archive()
      archive.file("f", "x")
      let error = try failure(
        archive.bytes(), to: root.appending("t"), ApplyOptions(), ApplyRequest(cancellation: flag))
      #expect(error?.code == .cancelled)
      #expect(try listing(root.appending("t")).isEmpty)
    }
  }

  @Test func `Progress ends with the number of supplied bytes`() throws {
    try withTemporaryDirectory { root in
      let bytes = try sample(in: root)
      let last = Mutex<UInt64>(0)
      try apply(
        bytes, to: root.appending("t"), ApplyOptions(),
        ApplyRequest(progress: { count in last.withLock { $0 = max($0, count) } }))
      #expect(last.withLock { $0 } == UInt64(bytes.count))
    }
  }

  @Test(.enabled(if: isRoot, "mounts a tmpfs"))
  func `A full file system is reported as the reference does`() throws {
    try withTemporaryDirectory { root in
      let mount = root.appending("m")
      try Syscall.mkdir(mount, mode: 0o755)
      #expect(try shell("mount -t tmpfs -o size=3m tmpfs \(mount)").isSuccess)
      defer { _ = try? shell("umount \(mount)") }
      var archive = Archive()
      archive.file("big", String(repeating: "x", count: 4 << 20))
      let error = try failure(archive.bytes(), to: mount)
      #expect(error?.message == "write /big: no space left on device")
      #expect(error?.code == .system)
    }
  }

  @Test(arguments: [Int64.max, 1 << 62, 1 << 40])
  func `Absurd sizes are refused or end early, and never allocate`(size: Int64) throws {
    try withTemporaryDirectory { root in
      let sink = BytesSink()
      let writer = TarWriter(sink)
      try writer.begin(TarHeader(kind: .regular, name: Array("f".utf8), size: size))
      let error = try failure(sink.bytes, to: root.appending("t"))
      // What is larger than the disk is refused before it is read.
      let isTooLarge = error?.message.hasPrefix("write /f: no space left on device: the file has \(size) bytes") == true
      #expect(isTooLarge || error?.message == "unexpected EOF")
    }
  }

  @Test(arguments: ["0.0", "0.1", "1.0"]) func `Holes stay holes`(format: String) throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        """
        truncate -s 32M hole && printf middle | dd of=hole bs=1M seek=16 conv=notrunc status=none && truncate -s 20M end
        printf x | dd of=end conv=notrunc status=none
        tar --format=posix --sparse --sparse-version=\(format) -cf l.tar hole end
        """, directory: root)
      for options in [ApplyOptions(), plain] {
        let tree = root.appending("t")
        let result = try apply(root.appending("l.tar").readBytes(), to: tree, options)
        #expect(result.contentSize == 52 << 20)
        for name in ["hole", "end"] {
          #expect(try run("cmp", root.appending(name).string, tree.appending(name).string).isSuccess)
          #expect(try Syscall.lstat(tree.appending(name)).blocks * 512 < 1 << 20)
        }
        try removeTree(tree)
      }
    }
  }

  /// An entry of 8 GiB whose bytes are made when they are asked for.
  private final class EndlessEntry: ByteSource {
    private var header: [UInt8]

    init() throws {
      let sink = BytesSink()
      try TarWriter(sink).begin(TarHeader(kind: .regular, name: Array("f".utf8), size: 8 << 30))
      header = sink.bytes
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
      if header.isEmpty {
        _ = buffer.initializeMemory(as: UInt8.self, repeating: 1)
        return buffer.count
      }
      let count = min(buffer.count, header.count)
      buffer.copyBytes(from: header[..<count])
      header.removeFirst(count)
      return count
    }

    func cancel() {}
  }

  @Test func `The work stops within one entry, when asked to or when there is more than allowed`() throws {
    try withTemporaryDirectory { root in
      try Syscall.mkdir(root.appending("t"), mode: 0o755)
      func failure(_ request: ApplyRequest) throws -> StorageError? {
        do {
          _ = try applyLayer(
            from: try EndlessEntry(), to: root.appending("t"), options: ApplyOptions(), request: request)
          return nil
        } catch let error as StorageError {
          return error
        }
      }
      let questions = Atomic<Int>(0)
      let flag = CancellationFlag { questions.wrappingAdd(1, ordering: .relaxed).newValue > 20 }
      #expect(try failure(ApplyRequest(cancellation: flag))?.code == .cancelled)
      #expect(try Syscall.lstat(root.appending("t/f")).size < 32 << 20)
      let limited = try failure(ApplyRequest(limit: SizeLimit(bytes: 3 << 20)))
      #expect(limited?.code == .invalidArchive)
      #expect(limited?.message == "unpacked, there are more than the 3145728 bytes that are allowed")
      #expect(try Syscall.lstat(root.appending("t/f")).size < 8 << 20)
    }
  }

  @Test func `Holes count for what is allowed, and what is just as large as allowed is taken`() throws {
    try withTemporaryDirectory { root in
      _ = try shell("truncate -s 1G hole && tar --format=posix --sparse -cf l.tar hole", directory: root)
      let bytes = try root.appending("l.tar").readBytes()
      let exact = Int64(bytes.count) + (1 << 30)
      #expect(
        try failure(bytes, to: root.appending("t"), ApplyOptions(), ApplyRequest(limit: SizeLimit(bytes: exact))) == nil
      )
      #expect(
        try failure(bytes, to: root.appending("u"), ApplyOptions(), ApplyRequest(limit: SizeLimit(bytes: exact - 1)))?
          .code
          == .invalidArchive)
    }
  }
}
