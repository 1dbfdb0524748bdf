// SPDX-License-Identifier: Apache-2.0

/// A stream of bytes that is pulled by its one consumer.
///
/// Not thread-safe, except `cancel()`. After an error every later call may fail in any way but does not trap.
package protocol ByteSource: AnyObject {
  /// Puts at least one byte into a non-empty `buffer`, waiting if it must; returns 0 at the end of the stream only.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int
  /// Makes a waiting or later `read` fail with `.cancelled`. May be called from any thread, more than once.
  func cancel()
}

extension ByteSource {
  /// Nothing to wake up.
  package func cancel() {}

  /// Reads to the end of the stream; fails with `.fieldTooLong` above `limit` bytes.
  package func readToEnd(limit: Int = .max) throws(ArchiveError) -> [UInt8] {
    var bytes: [UInt8] = []
    let buffer = RawBuffer(count: 64 << 10)
    while true {
      let count = try read(into: buffer.bytes)
      if count == 0 { return bytes }
      guard bytes.count <= limit - count else {
        throw ArchiveError(.fieldTooLong, "input is longer than \(limit) bytes")
      }
      bytes.append(contentsOf: buffer.bytes[..<count])
    }
  }
}

/// A source that lends its own buffers, so that nothing has to be copied.
package protocol ChunkSource: ByteSource {
  /// The next bytes of the stream, empty at its end. Valid until the next call of any method but `cancel()`.
  func nextChunk() throws(ArchiveError) -> UnsafeRawBufferPointer
}

/// `source` itself if it lends chunks, else a buffer in front of it.
package func chunked(_ source: any ByteSource) -> any ChunkSource {
  if let source = source as? any ChunkSource { return source }
  return BufferedSource(source)
}
