// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageDigest
import StowageModel

extension ImagePlan.Layer {
  /// The stream the store is to extract: the blob, or what it holds when uncompressed.
  ///
  /// - Parameters:
  ///   - isCancelled: Asked after each chunk; once it says true, reading fails.
  ///   - observe: Told how many bytes of the blob have been read, after each chunk.
  func stream(
    isCancelled: @escaping @Sendable () -> Bool, observe: @escaping (Int64) -> Void
  ) throws(StorageError) -> any ByteSource {
    var done: Int64 = 0
    let bytes = TeeSource(blob.open()) { (chunk) throws(ArchiveError) in
      if isCancelled() { throw .cancelled }
      done += Int64(chunk.count)
      observe(done)
    }
    return isUncompressedFirst ? try uncompressed(bytes) : bytes
  }

  /// The digest of the uncompressed bytes: as the configuration tells or, where it does not, by reading the whole blob.
  func resolvedDiffID() throws(StorageError) -> Digest {
    if let diffID { return diffID }
    var hasher = SHA256Hasher()
    let content = chunked(try uncompressed(blob.open()))
    do throws(ArchiveError) {
      while true {
        let chunk = try content.nextChunk()
        if chunk.isEmpty { return hasher.finish() }
        hasher.update(chunk)
      }
    } catch {
      throw StorageError(.invalidArchive, "\(blob.name): \(error)", cause: error)
    }
  }

  private func uncompressed(_ source: any ByteSource) throws(StorageError) -> any ByteSource {
    do throws(ArchiveError) {
      let peeked = PeekedSource(source)
      return decoder(for: try detectCompression(of: peeked), over: peeked)
    } catch {
      throw StorageError(.invalidArchive, "\(blob.name): \(error)", cause: error)
    }
  }
}
