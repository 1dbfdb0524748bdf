// SPDX-License-Identifier: Apache-2.0
private import CBz2
internal import SystemPackage

/// Decodes bzip2 data: any number of streams; anything else behind is an error. Needs about 4 MiB of memory.
package final class Bzip2Decoder: ByteSource {
  private let upstream: any ChunkSource
  private let stream: UnsafeMutablePointer<bz_stream>
  private var input = UnsafeRawBufferPointer(start: nil, count: 0)
  private var isInStream = false
  private var hasFinishedOne = false
  private var isAtEnd = false

  /// Decodes `upstream`.
  package init(_ upstream: any ByteSource) {
    self.upstream = chunked(upstream)
    stream = UnsafeMutablePointer<bz_stream>.allocate(capacity: 1)
    stream.initialize(to: bz_stream())
  }

  deinit {
    if isInStream { _ = BZ2_bzDecompressEnd(stream) }
    stream.deallocate()
  }

  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    guard !buffer.isEmpty else { return 0 }
    var produced = 0
    while produced == 0 && !isAtEnd {
      if input.isEmpty {
        input = try upstream.nextChunk()
        if input.isEmpty {
          guard !isInStream && hasFinishedOne else { throw .unexpectedEnd }
          isAtEnd = true
          break
        }
      }
      if !isInStream {
        stream.pointee = bz_stream()
        guard BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else { throw ArchiveError.system("bzip2", .noMemory) }
        isInStream = true
      }
      produced = try step(into: buffer)
    }
    return produced
  }

  package func cancel() { upstream.cancel() }

  private func step(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    let inputCount = min(input.count, Int(UInt32.max))
    let outputCount = min(buffer.count, Int(UInt32.max))
    // The library does not write through `next_in`; the C type just lacks the `const`.
    stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.assumingMemoryBound(to: CChar.self))
    stream.pointee.avail_in = UInt32(inputCount)
    stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
    stream.pointee.avail_out = UInt32(outputCount)
    let code = BZ2_bzDecompress(stream)
    input = UnsafeRawBufferPointer(rebasing: input[(inputCount - Int(stream.pointee.avail_in))...])
    switch code {
    case BZ_OK: break
    case BZ_STREAM_END:
      _ = BZ2_bzDecompressEnd(stream)
      isInStream = false
      hasFinishedOne = true
    case BZ_DATA_ERROR_MAGIC where hasFinishedOne:
      throw ArchiveError(.invalidCompressedData, "bzip2 data invalid: bad magic value in continuation file")
    case BZ_DATA_ERROR_MAGIC: throw ArchiveError(.invalidCompressedData, "bzip2 data invalid: bad magic value")
    case BZ_MEM_ERROR: throw ArchiveError.system("bzip2", .noMemory)
    default: throw ArchiveError(.invalidCompressedData, "bzip2 data invalid: checksum mismatch or corrupt block")
    }
    return outputCount - Int(stream.pointee.avail_out)
  }
}
