// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageCompression
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// A format and the program that writes it.
struct Format: Sendable, CustomTestStringConvertible {
  let compression: Compression
  let command: String
  var testDescription: String { "\(compression)" }

  static let all = [
    Format(compression: .gzip, command: "gzip -nc"), Format(compression: .bzip2, command: "bzip2 -c"),
    Format(compression: .xz, command: "xz -c"), Format(compression: .zstd, command: "zstd -qc"),
  ]

  /// What the program makes of a script's output.
  func compressed(_ input: String = "seq 1 60000") throws -> [UInt8] { try scriptOutput("\(input) | \(command)") }
}

/// The output of `seq 1 60000`.
let plain: [UInt8] = (1...60000).flatMap { Array("\($0)\n".utf8) }

/// Decodes data of a format that is told by its first bytes.
func decode(_ bytes: [UInt8], chunk: Int = 1 << 20) throws(ArchiveError) -> [UInt8] {
  let source = PeekedSource(BytesSource(bytes, chunkSize: chunk))
  return try decoder(for: try detectCompression(of: source), over: source).readToEnd()
}

/// The text of the failure to decode, or that there was none.
func decodingFailure(_ bytes: [UInt8]) -> String { failure { () throws(ArchiveError) in _ = try decode(bytes) } }

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// The text of the error, or that there was none.
func failure(_ body: () throws(ArchiveError) -> Void) -> String {
  do throws(ArchiveError) {
    try body()
    return "no error"
  } catch { return error.message }
}

/// What a Python script writes to standard output. `zlib`, `struct`, `sys` and the function `out` are at hand.
func python(_ script: String) throws -> [UInt8] {
  let head = "import bz2, lzma, os, random, struct, sys, zlib\nout = sys.stdout.buffer.write\n"
  return try scriptOutput("python3 script", files: ["script": Array((head + script).utf8)])
}

/// Delivers certain pieces, then fails.
final class FailingSource: ByteSource {
  private var pieces: [[UInt8]]
  private let error: ArchiveError
  private(set) var isCancelled = false

  init(_ pieces: [[UInt8]], then error: ArchiveError = ArchiveError(.caller, "upstream failed")) {
    self.pieces = pieces
    self.error = error
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    if pieces.isEmpty { throw error }
    let piece = pieces.removeFirst()
    buffer.copyBytes(from: piece)
    return piece.count
  }

  func cancel() { isCancelled = true }
}

/// Refuses everything.
final class FailingSink: ByteSink {
  func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) { throw .system("write", .noSpace) }
  func finish() throws(ArchiveError) { throw .system("write", .noSpace) }
}
