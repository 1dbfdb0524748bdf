// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageDigest
import StowageModel

/// A blob that is written: digest and size of its bytes.
struct WrittenBlob: Hashable, Sendable {
  let digest: Digest
  let size: Int64
}

/// What the files of a layout, or of a `dir:` directory, are written to. For one thread.
protocol BlobOutput: AnyObject {
  /// Writes a small file.
  func add(_ path: String, _ bytes: [UInt8]) throws(StorageError)

  /// Writes a blob whose name follows from its bytes.
  ///
  /// - Parameters:
  ///   - known: what the blob will be, if that is known before; it must come true.
  ///   - bound: about how large it can become, if that is known.
  ///   - path: the name.
  ///   - write: writes the bytes into a sink, which it does not finish.
  func addBlob(
    _ known: WrittenBlob?, bound: Int64?, at path: (Digest) -> String,
    _ write: (any ByteSink) throws(StorageError) -> Void
  ) throws(StorageError) -> WrittenBlob
}

/// Passes bytes on, and has their digest and number.
final class BlobSink: ByteSink {
  private let downstream: any ByteSink
  private var hasher = SHA256Hasher()
  private var count: Int64 = 0

  init(_ downstream: any ByteSink) { self.downstream = downstream }

  /// What was written so far.
  var blob: WrittenBlob { WrittenBlob(digest: hasher.finish(), size: count) }

  func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    hasher.update(bytes)
    count += Int64(bytes.count)
    try downstream.write(bytes)
  }

  /// Does nothing: what is downstream goes on.
  func finish() {}
}
