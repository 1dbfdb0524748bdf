// SPDX-License-Identifier: Apache-2.0

internal import StowageCompression
internal import StowageDigest
internal import StowageModel

/// The supplied bytes on their way to the tar reader: counted and hashed as supplied, decompressed, hashed again, each stage on
/// a thread of its own, a bounded number of buffers ahead.
///
/// Digests and counts may be asked for once the reader has seen the end of ``uncompressed``.
final class LayerStream {
  /// How the supplied bytes are compressed.
  let compression: Compression
  /// The archive; failures of it are noted in ``hasFailed``.
  let uncompressed: NotingSource
  private let supplied: DigestCounter
  private let decoded: DigestCounter?

  /// Digest of the supplied bytes.
  var compressedDigest: Digest { supplied.digest }
  /// Number of supplied bytes.
  var compressedSize: Int64 { supplied.count }
  /// Digest of the decompressed bytes.
  var diffDigest: Digest { (decoded ?? supplied).digest }
  /// Number of decompressed bytes.
  var diffSize: Int64 { (decoded ?? supplied).count }
  /// True if reading, decoding or a hash failed, rather than what the archive says.
  var hasFailed: Bool { uncompressed.hasFailed }

  /// Reads the first bytes to tell the compression, waiting for them.
  init(_ source: any ByteSource, _ request: ApplyRequest) throws(ArchiveError) {
    let supplied = DigestCounter(progress: request.progress)
    let peeked = PeekedSource(source)
    compression = try detectCompression(of: peeked)
    let counted = TeeSource(peeked) { (bytes) throws(ArchiveError) in supplied.add(bytes) }
    self.supplied = supplied
    guard compression != .none else {
      decoded = nil
      uncompressed = NotingSource(PipelineSource(counted), request)
      return
    }
    let decoded = DigestCounter(progress: nil)
    let plain = TeeSource(decoder(for: compression, over: PipelineSource(counted))) { (bytes) throws(ArchiveError) in
      decoded.add(bytes)
    }
    self.decoded = decoded
    uncompressed = NotingSource(PipelineSource(plain), request)
  }
}

/// Counts and hashes bytes.
private final class DigestCounter {
  private var hasher = SHA256Hasher()
  private(set) var count: Int64 = 0
  private let progress: (@Sendable (UInt64) -> Void)?
  private var reported: Int64 = 0

  /// Often enough for a person, seldom enough to cost nothing.
  private static let reportInterval: Int64 = 1 << 20

  init(progress: (@Sendable (UInt64) -> Void)?) { self.progress = progress }

  var digest: Digest { hasher.finish() }

  func add(_ bytes: UnsafeRawBufferPointer) {
    hasher.update(bytes)
    count &+= Int64(bytes.count)
    guard let progress, count - reported >= Self.reportInterval else { return }
    reported = count
    progress(UInt64(count))
  }
}

/// Passes a source through and notes its failure, so that it can be told from the reader's own. Asks with each piece whether to
/// stop, as a single entry can be endless, and whether the archive has become too large.
final class NotingSource: ChunkSource {
  private let upstream: any ChunkSource
  private let request: ApplyRequest
  /// True once the source failed.
  private(set) var hasFailed = false

  init(_ upstream: any ChunkSource, _ request: ApplyRequest) {
    self.upstream = upstream
    self.request = request
  }

  func nextChunk() throws(ArchiveError) -> UnsafeRawBufferPointer {
    do throws(ArchiveError) {
      let chunk = try upstream.nextChunk()
      try judge(chunk.count)
      return chunk
    } catch {
      hasFailed = true
      throw error
    }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    do throws(ArchiveError) {
      let count = try upstream.read(into: buffer)
      try judge(count)
      return count
    } catch {
      hasFailed = true
      throw error
    }
  }

  func cancel() { upstream.cancel() }

  private func judge(_ count: Int) throws(ArchiveError) {
    if request.cancellation?.isCancelled == true { throw .cancelled }
    guard let limit = request.limit else { return }
    do throws(StorageError) { try limit.take(Int64(count)) } catch {
      throw ArchiveError(.caller, error.message, cause: error)
    }
  }
}
