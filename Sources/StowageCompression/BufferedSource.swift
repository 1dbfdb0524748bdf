// SPDX-License-Identifier: Apache-2.0

/// Lends chunks of a source that can only fill a caller's buffer.
package final class BufferedSource: ChunkSource {
  private let upstream: any ByteSource
  private let buffer: RawBuffer
  private var pending: UnsafeRawBufferPointer

  /// Puts a buffer of `capacity` bytes in front of `upstream`.
  package init(_ upstream: any ByteSource, capacity: Int = 256 << 10) {
    self.upstream = upstream
    buffer = RawBuffer(count: max(capacity, 512))
    pending = UnsafeRawBufferPointer(start: nil, count: 0)
  }

  package func nextChunk() throws(ArchiveError) -> UnsafeRawBufferPointer {
    if !pending.isEmpty {
      defer { pending = UnsafeRawBufferPointer(start: nil, count: 0) }
      return pending
    }
    let count = try upstream.read(into: buffer.bytes)
    return UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count])
  }

  package func read(into target: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    if pending.isEmpty {
      if target.count >= buffer.bytes.count { return try upstream.read(into: target) }
      pending = try nextChunk()
    }
    let count = min(target.count, pending.count)
    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: pending[..<count]))
    pending = UnsafeRawBufferPointer(rebasing: pending[count...])
    return count
  }

  package func cancel() { upstream.cancel() }
}
