// SPDX-License-Identifier: Apache-2.0
private import CIsal

/// Writes one gzip member with isa-l. Its compressed bytes are not stable between versions; only their content is.
package final class GzipSink: ByteSink {
  /// How much work is spent.
  package enum Level: UInt32, Sendable {
    /// Quickest: for tar-split files.
    case fastest = 1
    /// About as small as zlib's level 4 at ten times its speed: for layers.
    case standard = 3
  }

  private let downstream: any ByteSink
  private let stream: UnsafeMutablePointer<isal_zstream>
  private let work: RawBuffer
  private let output = RawBuffer(count: 64 << 10)

  /// Compresses what is written to this sink into `downstream`; writes the header at once.
  package init(_ downstream: any ByteSink, level: Level = .standard) throws(ArchiveError) {
    self.downstream = downstream
    stream = UnsafeMutablePointer<isal_zstream>.allocate(capacity: 1)
    work =
      switch level {
      case .fastest: RawBuffer(count: Int(stowage_isal_level1_buffer))
      case .standard: RawBuffer(count: Int(stowage_isal_level3_buffer))
      }
    isal_deflate_init(stream)
    stream.pointee.level = level.rawValue
    stream.pointee.level_buf = work.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.level_buf_size = UInt32(work.bytes.count)
    stream.pointee.gzip_flag = UInt16(IGZIP_GZIP_NO_HDR)
    // The reference's header; the odd time is that of an empty Go time value (archive-and-diff 2.4).
    try downstream.write([0x1F, 0x8B, 0x08, 0x00, 0x00, 0x09, 0x6E, 0x88, 0x00, 0xFF])
  }

  deinit { stream.deallocate() }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    var rest = bytes
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      try deflate(part, isLast: false)
      rest = UnsafeRawBufferPointer(rebasing: rest[part.count...])
    }
  }

  package func finish() throws(ArchiveError) {
    try deflate(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true)
    try downstream.finish()
  }

  private func deflate(_ bytes: UnsafeRawBufferPointer, isLast: Bool) throws(ArchiveError) {
    // The library does not write through `next_in`; the C type just lacks the `const`.
    stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.pointee.avail_in = UInt32(bytes.count)
    stream.pointee.end_of_stream = isLast ? 1 : 0
    stream.pointee.flush = UInt16(NO_FLUSH)
    repeat {
      stream.pointee.next_out = output.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(output.bytes.count)
      let code = isal_deflate(stream)
      guard code == COMP_OK else { throw ArchiveError(.invalidCompressedData, "gzip: compressor failed (\(code))") }
      let count = output.bytes.count - Int(stream.pointee.avail_out)
      if count > 0 { try downstream.write(UnsafeRawBufferPointer(rebasing: output.bytes[..<count])) }
    } while stream.pointee.avail_out == 0 || stream.pointee.avail_in > 0
  }
}
