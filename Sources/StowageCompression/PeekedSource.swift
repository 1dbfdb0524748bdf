// SPDX-License-Identifier: Apache-2.0

/// A source whose first bytes can be looked at before they are read.
package final class PeekedSource: ChunkSource {
  private let upstream: any ByteSource
  private let chunks: (any ChunkSource)?
  private let buffer: RawBuffer
  private var pending: UnsafeRawBufferPointer

  /// Puts a buffer of `capacity` bytes, the most that can be looked at, in front of `upstream`.
  package init(_ upstream: any ByteSource, capacity: Int = 256 << 10) {
    self.upstream = upstream
    chunks = upstream as? any ChunkSource
    buffer = RawBuffer(count: max(capacity, 512))
    pending = UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// The next `count` bytes without consuming them, fewer only if the stream ends before. To be called before any read.
  package func peek(_ count: Int) throws(ArchiveError) -> UnsafeRawBufferPointer {
    let wanted = min(count, buffer.bytes.count)
    while pending.count < wanted {
      let space = UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[pending.count...])
      let size = try upstream.read(into: space)
      if size == 0 { break }
      pending = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<(pending.count + size)])
    }
    return UnsafeRawBufferPointer(rebasing: pending.prefix(wanted))
  }

  package func nextChunk() throws(ArchiveError) -> UnsafeRawBufferPointer {
    if pending.isEmpty {
      if let chunks { return try chunks.nextChunk() }
      let size = try upstream.read(into: buffer.bytes)
      return UnsafeRawBufferPointer(rebasing: buffer.bytes[..<size])
    }
    defer { pending = UnsafeRawBufferPointer(start: nil, count: 0) }
    return pending
  }

  package func read(into target: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    guard !pending.isEmpty else { return try upstream.read(into: target) }
    let size = min(target.count, pending.count)
    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: pending[..<size]))
    pending = UnsafeRawBufferPointer(rebasing: pending[size...])
    return size
  }

  package func cancel() { upstream.cancel() }
}
