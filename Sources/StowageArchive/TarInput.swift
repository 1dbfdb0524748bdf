// SPDX-License-Identifier: Apache-2.0
internal import StowageCompression

/// Walks through the chunks of a source, handing out slices of them.
///
/// A slice is valid until the next call.
final class TarInput {
  private let source: any ChunkSource
  private var chunk = UnsafeRawBufferPointer(start: nil, count: 0)
  private var isAtEnd = false
  /// Where a block that crosses a chunk border is put together.
  private let scratch = RawBuffer(count: TarBlock.size)

  init(_ source: any ByteSource) { self.source = chunked(source) }

  /// 1…`limit` bytes, or none at the end of the stream.
  func slice(upTo limit: Int64) throws(ArchiveError) -> UnsafeRawBufferPointer {
    if chunk.isEmpty { try refill() }
    let count = Int(min(Int64(chunk.count), limit))
    let slice = UnsafeRawBufferPointer(rebasing: chunk[..<count])
    chunk = UnsafeRawBufferPointer(rebasing: chunk[count...])
    return slice
  }

  /// The next 512 bytes, or what is left of the stream.
  func block() throws(ArchiveError) -> UnsafeRawBufferPointer {
    if chunk.count >= TarBlock.size { return try slice(upTo: Int64(TarBlock.size)) }
    var filled = 0
    while filled < TarBlock.size {
      let part = try slice(upTo: Int64(TarBlock.size - filled))
      if part.isEmpty { break }
      UnsafeMutableRawBufferPointer(rebasing: scratch.bytes[filled...]).copyMemory(from: part)
      filled += part.count
    }
    return UnsafeRawBufferPointer(rebasing: scratch.bytes[..<filled])
  }

  private func refill() throws(ArchiveError) {
    guard !isAtEnd else { return }
    chunk = try source.nextChunk()
    isAtEnd = chunk.isEmpty
  }
}
