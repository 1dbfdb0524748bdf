// SPDX-License-Identifier: Apache-2.0
package import StowageCompression
internal import StowageDigest
package import StowageModel

/// The table of contents that an archive has as a zstd:chunked layer (chunked-and-composefs 1).
package struct ChunkedManifest: Sendable {
  /// The table, JSON.
  package let json: [UInt8]
  /// SHA-256 of the compressed table, which names the layer in registries and records.
  package let digest: StowageModel.Digest

  /// Reads an uncompressed archive to its end and describes it. The layer itself is written nowhere: only where its
  /// parts would begin is noted.
  ///
  /// - Throws: what reading throws; `duplicatePath`; `invalidHeader` for kinds of entries that the format cannot tell.
  package init(of archive: any ByteSource, cancellation: CancellationFlag? = nil) throws(ArchiveError) {
    let writer = try ChunkedWriter()
    let reader = TarReader(archive, observer: writer)
    while try reader.next() != nil {
      if cancellation?.isCancelled == true { throw .cancelled }
    }
    try reader.drain()
    json = try writer.finish()
    let packed = DigestSink()
    let packer = try ZstdSink(packed)
    try packer.write(json)
    try packer.finish()
    digest = packed.digest
  }
}

/// Follows an archive as it would be cut into frames (chunked-and-composefs 1.2).
private final class ChunkedWriter: TarObserver {
  private let frames: ZstdSink
  private let layer = DigestSink()
  private let tarSplit: TarSplitWriter
  private let packedTarSplit = DigestSink()
  private var table = ChunkedTOC()
  private var file: OpenFile?
  private var header: TarHeader?
  private let zeros: UnsafeMutableRawBufferPointer

  /// A file whose content comes.
  private struct OpenFile {
    var chunker = Chunker()
    var hasher = SHA256Hasher()
    var chunkHasher = SHA256Hasher()
    var chunkSize: Int64 = 0
    var chunks: [ChunkedTOC.Chunk] = []
    /// Bytes before the current chunk.
    var size: Int64 = 0
    /// Where its first frame begins.
    let start: Int64
    /// Where the current frame begins.
    var last: Int64
  }

  init() throws(ArchiveError) {
    frames = try ZstdSink(layer)
    tarSplit = TarSplitWriter(lines: try ZstdSink(packedTarSplit))
    zeros = .allocate(byteCount: 64 << 10, alignment: 16)
    zeros.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { zeros.deallocate() }

  func raw(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    try tarSplit.raw(bytes)
    try frames.write(bytes)
  }

  func beginEntry(_ header: TarHeader) throws(ArchiveError) {
    try tarSplit.beginEntry(header)
    self.header = header
  }

  func content(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    try tarSplit.content(bytes)
    if bytes.isEmpty { return }
    var open: OpenFile
    if let file {
      open = file
    } else {
      try frames.endFrame()
      open = OpenFile(start: layer.count, last: layer.count)
    }
    file = nil
    var chunker = open.chunker
    try chunker.feed(bytes) { (piece) throws(ArchiveError) in try take(piece, &open) }
    open.chunker = chunker
    file = open
  }

  func endEntry() throws(ArchiveError) {
    try tarSplit.endEntry()
    guard let header else { return }
    self.header = nil
    guard var open = file else { return try table.add(header, nil) }
    file = nil
    var chunker = open.chunker
    try chunker.finish { (piece) throws(ArchiveError) in try take(piece, &open) }
    try table.add(
      header,
      ChunkedTOC.Content(
        digest: open.hasher.finish(), offset: open.start, endOffset: open.last, chunks: open.chunks))
  }

  private func take(_ piece: Chunker.Piece, _ open: inout OpenFile) throws(ArchiveError) {
    switch piece {
    case .data(let bytes): try append(bytes, &open)
    case .zeros(var count):
      while count > 0 {
        let part = min(count, zeros.count)
        try append(UnsafeRawBufferPointer(rebasing: zeros[..<part]), &open)
        count -= part
      }
    case .boundary(let isHole):
      try frames.endFrame()
      if open.chunkSize > 0 {
        open.chunks.append(
          ChunkedTOC.Chunk(
            fileOffset: open.size, offset: open.last, size: open.chunkSize, digest: open.chunkHasher.finish(),
            isHole: isHole))
      }
      open.size += open.chunkSize
      open.chunkSize = 0
      open.chunkHasher = SHA256Hasher()
      open.last = layer.count
    }
  }

  private func append(_ bytes: UnsafeRawBufferPointer, _ open: inout OpenFile) throws(ArchiveError) {
    try frames.write(bytes)
    open.hasher.update(bytes)
    open.chunkHasher.update(bytes)
    open.chunkSize += Int64(bytes.count)
  }

  /// Ends the layer and gives the table.
  func finish() throws(ArchiveError) -> [UInt8] {
    try frames.endFrame()
    try tarSplit.finish()
    return table.finish(tarSplitDigest: packedTarSplit.digest)
  }
}

/// Counts and digests what it gets, and keeps none of it.
private final class DigestSink: ByteSink {
  private var hasher = SHA256Hasher()
  private(set) var count: Int64 = 0
  var digest: StowageModel.Digest { hasher.finish() }

  func write(_ bytes: UnsafeRawBufferPointer) {
    hasher.update(bytes)
    count += Int64(bytes.count)
  }

  func finish() {}
}
