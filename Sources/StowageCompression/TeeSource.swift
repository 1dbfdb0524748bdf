// SPDX-License-Identifier: Apache-2.0

/// Counts the bytes that pass and shows them to a closure, as for a digest.
package final class TeeSource: ChunkSource {
  private let upstream: any ChunkSource
  private let observe: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
  /// The number of bytes delivered so far.
  package private(set) var count: Int64 = 0

  /// Shows each byte of `upstream` to `observe` exactly once, in order.
  package init(
    _ upstream: any ByteSource,
    observe: @escaping (UnsafeRawBufferPointer) throws(ArchiveError) -> Void = { _ in }
  ) {
    self.upstream = chunked(upstream)
    self.observe = observe
  }

  package func nextChunk() throws(ArchiveError) -> UnsafeRawBufferPointer {
    let chunk = try upstream.nextChunk()
    try pass(chunk)
    return chunk
  }

  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    let size = try upstream.read(into: buffer)
    try pass(UnsafeRawBufferPointer(rebasing: buffer[..<size]))
    return size
  }

  package func cancel() { upstream.cancel() }

  private func pass(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    guard !bytes.isEmpty else { return }
    count &+= Int64(bytes.count)
    try observe(bytes)
  }
}
