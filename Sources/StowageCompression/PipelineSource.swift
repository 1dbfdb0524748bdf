// SPDX-License-Identifier: Apache-2.0
internal import StowageSystem
internal import SystemPackage

/// Runs a source on a thread of its own, a bounded number of buffers ahead of its reader.
///
/// Used to overlap decompression and digests with parsing and writing. The reader is lent the thread's buffers; nothing is
/// copied. The upstream source belongs to the thread until this object is gone, except for `cancel()`.
package final class PipelineSource: ChunkSource {
  private let ring: BufferRing
  private var thread: PlainThread?
  private var pending = UnsafeRawBufferPointer(start: nil, count: 0)
  private var isHoldingSlot = false

  /// Starts reading `upstream` into `depth` buffers of `bufferSize` bytes.
  ///
  /// The default, 4 × 256 KiB, stays within a second-level cache and hides the unevenness of both sides.
  package init(_ upstream: any ByteSource, bufferSize: Int = 256 << 10, depth: Int = 4) {
    ring = BufferRing(upstream, bufferSize: max(bufferSize, 4096), depth: max(depth, 2))
    let ring = ring
    do throws(Errno) { thread = try PlainThread { ring.fill() } } catch {
      ring.fail(ArchiveError.system("pthread_create", error))
    }
  }

  deinit {
    ring.cancel()
    thread.take()?.join()
  }

  package func nextChunk() throws(ArchiveError) -> UnsafeRawBufferPointer {
    if !pending.isEmpty {
      defer { pending = UnsafeRawBufferPointer(start: nil, count: 0) }
      return pending
    }
    if isHoldingSlot { ring.giveBack() }
    isHoldingSlot = false
    let chunk = try ring.take()
    isHoldingSlot = !chunk.isEmpty
    return chunk
  }

  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    if pending.isEmpty { pending = try nextChunk() }
    let count = min(buffer.count, pending.count)
    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: pending[..<count]))
    pending = UnsafeRawBufferPointer(rebasing: pending[count...])
    return count
  }

  package func cancel() { ring.cancel() }
}
