// SPDX-License-Identifier: Apache-2.0
private import CLzma
internal import SystemPackage

/// Decodes xz data: any number of streams with padding between them; anything else behind is an error.
package final class XZDecoder: ByteSource {
  /// The most memory a stream may ask for. `xz -9` needs 65 MiB; dictionaries may reach 1.5 GiB.
  package static let memoryLimit: UInt64 = 512 << 20

  /// `LZMA_CONCATENATED`, a macro that Swift does not import.
  private static let concatenated: UInt32 = 0x08

  private let upstream: any ChunkSource
  private let stream: UnsafeMutablePointer<lzma_stream>
  private var isReady: Bool
  private var input = UnsafeRawBufferPointer(start: nil, count: 0)
  private var isInputAtEnd = false
  private var isAtEnd = false

  /// Decodes `upstream`.
  package init(_ upstream: any ByteSource) {
    self.upstream = chunked(upstream)
    stream = UnsafeMutablePointer<lzma_stream>.allocate(capacity: 1)
    stream.initialize(to: lzma_stream())
    isReady = lzma_stream_decoder(stream, Self.memoryLimit, Self.concatenated) == LZMA_OK
  }

  deinit {
    lzma_end(stream)
    stream.deallocate()
  }

  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    guard isReady else { throw ArchiveError.system("xz", .noMemory) }
    guard !buffer.isEmpty else { return 0 }
    var produced = 0
    while produced == 0 && !isAtEnd {
      if input.isEmpty && !isInputAtEnd {
        input = try upstream.nextChunk()
        isInputAtEnd = input.isEmpty
      }
      stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_in = input.count
      stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = buffer.count
      let code = lzma_code(stream, isInputAtEnd ? LZMA_FINISH : LZMA_RUN)
      input = UnsafeRawBufferPointer(rebasing: input[(input.count - stream.pointee.avail_in)...])
      produced = buffer.count - stream.pointee.avail_out
      if code == LZMA_STREAM_END { isAtEnd = true } else if code != LZMA_OK { throw failure(code) }
    }
    return produced
  }

  package func cancel() { upstream.cancel() }

  private func failure(_ code: lzma_ret) -> ArchiveError {
    switch code {
    case LZMA_BUF_ERROR: .unexpectedEnd
    case LZMA_MEMLIMIT_ERROR:
      ArchiveError(.unsupported, "xz: the dictionary needs more than \(Self.memoryLimit >> 20) MiB of memory")
    case LZMA_MEM_ERROR: ArchiveError.system("xz", .noMemory)
    case LZMA_FORMAT_ERROR: ArchiveError(.invalidCompressedData, "xz: invalid header magic bytes")
    case LZMA_OPTIONS_ERROR: ArchiveError(.unsupported, "xz: unsupported filter or check")
    default: ArchiveError(.invalidCompressedData, "xz: data is corrupt")
    }
  }
}
