// SPDX-License-Identifier: Apache-2.0

/// A stream of bytes that is pushed by its one producer.
package protocol ByteSink: AnyObject {
  /// Takes all of `bytes`.
  func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError)
  /// Completes the stream: flushes buffers and writes trailers, here and downstream. Nothing may be written afterwards.
  func finish() throws(ArchiveError)
}

extension ByteSink {
  /// Takes all of `bytes`.
  package func write(_ bytes: [UInt8]) throws(ArchiveError) {
    let result = bytes.withUnsafeBytes { raw -> Result<Void, ArchiveError> in
      do throws(ArchiveError) {
        try write(raw)
        return .success(())
      } catch { return .failure(error) }
    }
    try result.get()
  }

  /// Reads `source` to its end into this sink; does not finish it. Returns the number of bytes.
  @discardableResult
  package func write(contentsOf source: any ByteSource) throws(ArchiveError) -> Int64 {
    let chunks = chunked(source)
    var total: Int64 = 0
    while true {
      let chunk = try chunks.nextChunk()
      if chunk.isEmpty { return total }
      try write(chunk)
      total &+= Int64(chunk.count)
    }
  }
}

/// Collects everything in memory.
package final class BytesSink: ByteSink {
  /// What was written so far.
  package private(set) var bytes: [UInt8] = []

  /// Makes an empty sink.
  package init() {}

  package func write(_ chunk: UnsafeRawBufferPointer) { bytes.append(contentsOf: chunk) }

  package func finish() {}
}

/// Counts the bytes that pass and shows them to a closure.
package final class TeeSink: ByteSink {
  private let downstream: any ByteSink
  private let observe: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
  /// The number of bytes written so far.
  package private(set) var count: Int64 = 0

  /// Shows each byte to `observe` before it goes to `downstream`.
  package init(_ downstream: any ByteSink, observe: @escaping (UnsafeRawBufferPointer) throws(ArchiveError) -> Void) {
    self.downstream = downstream
    self.observe = observe
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    count &+= Int64(bytes.count)
    try observe(bytes)
    try downstream.write(bytes)
  }

  package func finish() throws(ArchiveError) { try downstream.finish() }
}
