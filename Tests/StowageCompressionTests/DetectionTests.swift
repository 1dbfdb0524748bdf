// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@testable import StowageCompression

@Suite("Detection of formats") struct DetectionTests {
  @Test func `The format is told by the first bytes, and too few of them tell nothing`() throws {
    let cases: [([UInt8], Compression)] = [
      ([], .none), ([0x1F, 0x8B], .none), ([0x1F, 0x8B, 0x08], .gzip), ([0x42, 0x5A, 0x68], .bzip2),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A], .none), ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], .xz),
      ([0x28, 0xB5, 0x2F, 0xFD], .zstd), ([0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0], .none), (Array("hello".utf8), .none),
    ]
    for (bytes, format) in cases {
      for chunk in [1, 3, 100] {
        #expect(try detectCompression(of: PeekedSource(BytesSource(bytes, chunkSize: chunk))) == format)
      }
    }
  }

  @Test(arguments: Format.all)
  func `What a format's program writes is told, and nothing of it is consumed`(format: Format) throws {
    for input in ["printf ''", "printf abc", "seq 1 60000"] {
      let bytes = try format.compressed(input)
      let source = PeekedSource(BytesSource(bytes, chunkSize: 3))
      #expect(try detectCompression(of: source) == format.compression)
      #expect(try source.readToEnd() == bytes)
    }
  }

  @Test func `A tar archive has no compression`() throws {
    let bytes = try scriptOutput("echo a > f; tar cf - f")
    #expect(try detectCompression(of: PeekedSource(BytesSource(bytes))) == .none)
  }

  @Test func `An error while the first bytes are awaited is no format`() {
    let source = PeekedSource(FailingSource([[0x1F, 0x8B, 0x08]]))
    #expect(failure { () throws(ArchiveError) in _ = try detectCompression(of: source) } == "upstream failed")
  }
}

@Suite("The checksum CRC-64") struct ChecksumTests {
  @Test(arguments: [
    ("", UInt64(0)), ("1", 0x4320_0000_0000_0000), ("q", 0x2F20_0000_0000_0000), ("hello", 0x3C3E_EEE2_D810_0000),
    ("123456789", 0xB909_56C7_75A4_1001),
  ])
  func `The variant GO-ISO gives the published values`(_ input: String, _ value: UInt64) {
    var whole = CRC64()
    Array(input.utf8).withUnsafeBytes { whole.update($0) }
    #expect(whole.value == value)
    var pieces = CRC64()
    for byte in input.utf8 { [byte].withUnsafeBytes { pieces.update($0) } }
    #expect(pieces.value == value)
    #expect(whole.bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } == value, "big endian")
  }

  /// The definition, bit by bit: polynomial x^64 + x^4 + x^3 + x + 1, reflected, inverted before and after.
  private let reference = """
    random.seed(5)
    data = random.randbytes(2000)
    def crc(bytes):
        value = 2**64 - 1
        for byte in bytes:
            value ^= byte
            for _ in range(8): value = value >> 1 ^ (0xD800000000000000 if value & 1 else 0)
        return value ^ 2**64 - 1
    out(data)
    for length in range(300): out(struct.pack('<Q', crc(data[length:2 * length])))
    out(struct.pack('<Q', crc(data)))
    """

  @Test func `Every length and alignment gives the value of the definition`() throws {
    let output = try python(reference)
    let data = Array(output[..<2000])
    let values = stride(from: 2000, to: output.count, by: 8).map { start in
      output[start..<(start + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
    try #require(values.count == 301)
    data.withUnsafeBytes { raw in
      for length in 0..<300 {
        var crc = CRC64()
        crc.update(UnsafeRawBufferPointer(rebasing: raw[length..<(2 * length)]))
        #expect(crc.value == values[length], "length \(length)")
      }
      for cut in [1, 15, 16, 127, 128, 129, 1024] {
        var crc = CRC64()
        crc.update(UnsafeRawBufferPointer(rebasing: raw[..<cut]))
        crc.update(UnsafeRawBufferPointer(rebasing: raw[..<0]))
        crc.update(UnsafeRawBufferPointer(rebasing: raw[cut...]))
        #expect(crc.value == values[300], "cut at \(cut)")
      }
    }
  }
}

@Suite("Errors of archives") struct ErrorTextTests {
  @Test func `Texts of error numbers are the system's, with a small first letter but for abbreviations`() throws {
    let lines = try python("for n in range(1, 134): out((os.strerror(n) + '\\n').encode())")
    let unused = [41, 58]
    for (index, line) in text(lines).split(separator: "\n").enumerated() where !unused.contains(index + 1) {
      let ours = Errno(rawValue: CInt(index + 1)).referenceText
      #expect(ours.lowercased() == line.lowercased())
      let isAbbreviation = line.prefix(2).allSatisfy { $0.isUppercase }
      #expect(ours.prefix(1) == (isAbbreviation ? line.prefix(1) : line.prefix(1).lowercased()[...]), "\(line)")
    }
    #expect(Errno.isDirectory.referenceText == "is a directory")
  }

  @Test func `A number that means nothing is shown as the reference shows it`() {
    #expect(Errno(rawValue: 9999).referenceText == "errno 9999")
    #expect(Errno(rawValue: -1).referenceText == "errno -1")
  }

  @Test func `An error says its message, and keeps its cause`() {
    struct Cause: Error {}
    let error = ArchiveError(.caller, "why", cause: Cause())
    #expect("\(error)" == "why")
    #expect(error.cause is Cause)
    let system = ArchiveError.system("open", .noSuchFileOrDirectory)
    #expect(system.message == "open: no such file or directory" && system.cause as? Errno == .noSuchFileOrDirectory)
    #expect(system.kind == .system)
    #expect(ArchiveError.cancelled.kind == .cancelled)
    #expect(ArchiveError.unexpectedEnd.kind == .unexpectedEnd)
  }
}
