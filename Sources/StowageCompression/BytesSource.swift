// SPDX-License-Identifier: Apache-2.0

/// A source over bytes in memory.
package final class BytesSource: ChunkSource {
  private let storage: RawBuffer
  private let count: Int
  private var position = 0
  private let chunkSize: Int

  /// Delivers a copy of `bytes`, at most `chunkSize` at a time.
  package init(_ bytes: some Collection<UInt8>, chunkSize: Int = 1 << 20) {
    count = bytes.count
    storage = RawBuffer(count: max(count, 1))
    storage.bytes.copyBytes(from: bytes)
    self.chunkSize = max(chunkSize, 1)
  }

  package func nextChunk() -> UnsafeRawBufferPointer {
    let end = min(count, position + chunkSize)
    defer { position = end }
    return UnsafeRawBufferPointer(rebasing: storage.bytes[position..<end])
  }

  package func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let size = min(buffer.count, count - position, chunkSize)
    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage.bytes[position..<(position + size)]))
    position += size
    return size
  }
}
