// SPDX-License-Identifier: Apache-2.0
import StowageCompression
import StowageTestSupport
import Testing

/// Expected values: the description of the format, version 1.1.0, and what `xz` writes.
@Suite("Reading xz") struct XZTests {
  private func stream(_ options: String = "", _ input: String = "printf abc") throws -> [UInt8] {
    try scriptOutput("\(input) | xz -c \(options)")
  }

  @Test(arguments: ["--check=none", "--check=crc32", "--check=crc64", "--check=sha256"])
  func `Every kind of check is verified`(_ options: String) throws {
    let bytes = try stream(options)
    #expect(text(try decode(bytes)) == "abc")
    // The last content byte of the only block is before its padding; damage there shows only in the check.
    let start = try #require(bytes.indices.first { Array(bytes[$0...].prefix(3)) == Array("abc".utf8) })
    var damaged = bytes
    damaged[start] ^= 0x20
    #expect(decodingFailure(damaged) == (options == "--check=none" ? "no error" : "xz: data is corrupt"))
  }

  @Test(arguments: ["-0", "-9", "--block-size=1000", "-T2", "--x86 --lzma2", "--delta --lzma2"])
  func `Streams of every kind are decoded`(_ options: String) throws {
    let bytes = try stream(options, "seq 1 60000")
    for chunk in [777, 1 << 20] { #expect(try decode(bytes, chunk: chunk) == plain) }
  }

  @Test func `Padding between and behind streams has multiples of four zero bytes`() throws {
    let one = try stream()
    for count in 0...9 {
      let padding = [UInt8](repeating: 0, count: count)
      let expected = count % 4 == 0 ? "no error" : "xz: data is corrupt"
      #expect(decodingFailure(one + padding + one) == expected, "\(count) bytes between")
      #expect(decodingFailure(one + padding) == expected, "\(count) bytes behind")
      let result = try run(["xz", "-dc"], input: one + padding)
      #expect(result.isSuccess == (count % 4 == 0), "as xz judges it")
    }
  }

  @Test func `A dictionary that needs too much memory is refused with a reason`() throws {
    // Asks for 1.5 GiB in the header of the only block, whose check is made to fit.
    let bytes = try python(
      """
      data = bytearray(lzma.compress(b'abc', check=lzma.CHECK_CRC32))
      size = (data[12] + 1) * 4
      at = data.index(b'\\x21\\x01', 12)
      data[at + 2] = 37
      data[12 + size - 4:12 + size] = struct.pack('<I', zlib.crc32(bytes(data[12:12 + size - 4])))
      out(data)
      """)
    #expect(decodingFailure(bytes) == "xz: the dictionary needs more than 512 MiB of memory")
    let error = #expect(throws: ArchiveError.self) { try decode(bytes) }
    #expect(error?.kind == .unsupported)
  }

  @Test func `Reserved bits of the header are refused`() throws {
    let bytes = try python(
      """
      data = bytearray(lzma.compress(b'abc'))
      data[7] = 0x0f | 0x10
      data[8:12] = struct.pack('<I', zlib.crc32(bytes(data[6:8])))
      out(data)
      """)
    #expect(decodingFailure(bytes) == "xz: unsupported filter or check")
  }

  @Test func `The older format of lzma is not xz`() throws {
    let bytes = try scriptOutput("printf abc | xz --format=lzma -c")
    let source = XZDecoder(BytesSource(bytes))
    #expect(failure { () throws(ArchiveError) in _ = try source.readToEnd() } == "xz: invalid header magic bytes")
  }
}

/// Expected values: what `bzip2` and Python's bz2 write.
@Suite("Reading bzip2") struct Bzip2Tests {
  @Test(arguments: 1...9)
  func `Every size of blocks is decoded`(level: Int) throws {
    let bytes = try scriptOutput("seq 1 60000 | bzip2 -c -\(level)")
    for chunk in [777, 1 << 20] { #expect(try decode(bytes, chunk: chunk) == plain) }
  }

  @Test func `Long runs and several blocks are decoded`() throws {
    let content = "bytes(1500000) + b'ab' * 500000"
    let expected = try python("out(\(content))")
    #expect(try decode(try python("out(bz2.compress(\(content), 1))")) == expected)
  }

  @Test func `A wrong check of the stream is an error`() throws {
    var bytes = try scriptOutput("printf abc | bzip2 -c")
    // The check of all blocks is in the last bytes, not aligned to one.
    bytes[bytes.count - 3] ^= 1
    #expect(decodingFailure(bytes) == "bzip2 data invalid: checksum mismatch or corrupt block")
  }

  @Test func `A header with an impossible block size is refused`() {
    #expect(decodingFailure(Array("BZh0123456789".utf8)) == "bzip2 data invalid: bad magic value")
    #expect(decodingFailure(Array("BZx9123456789".utf8)) == "no error", "that is no bzip2 at all")
  }

  @Test func `A stream cut off behind a whole one is an unexpected end`() throws {
    let bytes = try scriptOutput("printf abc | bzip2 -c")
    for count in [1, 3, 4, 10, bytes.count - 1] {
      #expect(decodingFailure(bytes + bytes[..<count]) == "unexpected EOF", "\(count) bytes")
    }
  }
}
