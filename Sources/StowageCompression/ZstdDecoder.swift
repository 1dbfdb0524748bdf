// SPDX-License-Identifier: Apache-2.0
private import CZstd
internal import SystemPackage

/// Decodes zstd data: any number of frames, skippable ones skipped; anything else behind a frame is an error
/// (archive-and-diff 2.2). zstd:chunked blobs are ordinary zstd here.
package final class ZstdDecoder: ByteSource {
  /// The largest window accepted unless the caller says otherwise, as a power of two: 128 MiB, which is also what
  /// `zstd -d` takes. A frame can ask for 2 GiB of memory with a few bytes, so more has to be asked for.
  package static let defaultWindowLog = 27

  private let upstream: any ChunkSource
  private let context: OpaquePointer?
  private let windowLog: Int
  private var input = UnsafeRawBufferPointer(start: nil, count: 0)
  /// What the library wants next, 0 exactly between frames.
  private var hint = 0
  private var isAtEnd = false

  /// Decodes `upstream`, using at most about 2^`windowLog` bytes of memory (10…31).
  package init(_ upstream: any ByteSource, windowLog: Int = ZstdDecoder.defaultWindowLog) {
    self.upstream = chunked(upstream)
    self.windowLog = min(max(windowLog, 10), 31)
    context = ZSTD_createDCtx()
    _ = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, CInt(self.windowLog))
  }

  deinit { _ = ZSTD_freeDCtx(context) }

  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    guard context != nil else { throw ArchiveError.system("zstd", .noMemory) }
    guard !buffer.isEmpty else { return 0 }
    var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
    while output.pos < output.size && !isAtEnd {
      if input.isEmpty {
        if try flushHeldBack(&output) { continue }
        // Decoded bytes go out before this waits for more.
        if output.pos > 0 { break }
        input = try upstream.nextChunk()
        if input.isEmpty {
          guard hint == 0 else { throw .unexpectedEnd }
          isAtEnd = true
          break
        }
      }
      try step(&output)
    }
    return output.pos
  }

  package func cancel() { upstream.cancel() }

  /// Gets decoded bytes that did not fit into an earlier output; false if there were none.
  private func flushHeldBack(_ output: inout ZSTD_outBuffer) throws(ArchiveError) -> Bool {
    guard hint != 0 else { return false }
    let before = output.pos
    try step(&output)
    return output.pos != before || hint == 0
  }

  private func step(_ output: inout ZSTD_outBuffer) throws(ArchiveError) {
    var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
    let code = ZSTD_decompressStream(context, &output, &source)
    if ZSTD_isError(code) != 0 { throw failure(code) }
    hint = code
    input = UnsafeRawBufferPointer(rebasing: input[source.pos...])
  }

  private func failure(_ code: Int) -> ArchiveError {
    switch ZSTD_getErrorCode(code) {
    case ZSTD_error_prefix_unknown:
      ArchiveError(.invalidCompressedData, "invalid input: magic number mismatch")
    case ZSTD_error_frameParameter_windowTooLarge:
      ArchiveError(
        .unsupported,
        "zstd: the frame needs a window of more than \(1 << (windowLog - 20)) MiB; compress it again without --long")
    default:
      ArchiveError(.invalidCompressedData, "zstd: \(String(cString: ZSTD_getErrorName(code)))")
    }
  }
}
