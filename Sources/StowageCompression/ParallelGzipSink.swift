// SPDX-License-Identifier: Apache-2.0
private import CDeflate
private import Glibc
internal import StowageSystem
internal import SystemPackage

/// Compresses with gzip, on all processors.
///
/// Each mebibyte becomes a gzip member of its own, so that the same bytes become the same ones on every machine, whatever the
/// number of threads (registries 7.2). Members in a row are one stream to readers of gzip; layers of eStargz are such, too.
package final class ParallelGzipSink: ByteSink {
  private static let pieceSize = 1 << 20

  private let downstream: any ByteSink
  private let ring: BlockRing
  private var threads: [PlainThreadBox] = []
  /// Pieces that were begun, submitted, and written downstream; a piece being filled is begun.
  private var (current, written) = (0, 0)

  /// Holds a thread, of which there is no copy.
  private final class PlainThreadBox {
    private var thread: PlainThread?
    init(_ thread: consuming PlainThread) { self.thread = consume thread }
    func join() { thread.take()?.join() }
  }

  /// Compresses what is written to this sink into `downstream`.
  ///
  /// - Parameter threads: how many, besides the caller's; nil for one on each processor.
  package init(_ downstream: any ByteSink, threads: Int? = nil) throws(ArchiveError) {
    self.downstream = downstream
    let count = threads ?? min(8, max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))))
    ring = BlockRing(count: count + 2, input: Self.pieceSize, output: GzipMember.mostBytes(for: Self.pieceSize))
    let ring = ring
    do throws(Errno) {
      for _ in 0..<count {
        let compressor = try GzipMember()
        self.threads.append(PlainThreadBox(try PlainThread { ring.work(compressor.compress) }))
      }
    } catch {
      // With the threads that there are it takes longer; none is not enough.
      if self.threads.isEmpty { throw ArchiveError.system("starting a thread to compress", error) }
    }
  }

  deinit {
    ring.close()
    for thread in threads { thread.join() }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    var rest = bytes
    while !rest.isEmpty {
      if ring[current].count == Self.pieceSize { try nextPiece() }
      let piece = ring[current]
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.pieceSize - piece.count))
      UnsafeMutableRawBufferPointer(rebasing: piece.input.bytes[piece.count...]).copyMemory(from: part)
      piece.count += part.count
      rest = UnsafeRawBufferPointer(rebasing: rest[part.count...])
    }
  }

  package func finish() throws(ArchiveError) {
    ring.submit(current)
    current += 1
    while written < current { _ = try writePiece(waiting: true) }
    try downstream.finish()
  }

  /// Hands the full piece to the threads and begins another one.
  private func nextPiece() throws(ArchiveError) {
    ring.submit(current)
    current += 1
    // What is done goes on at once; the oldest is waited for if its place is needed.
    while try writePiece(waiting: current - written >= ring.count) {}
    ring[current].count = 0
  }

  /// Writes the oldest piece downstream, if it is done.
  private func writePiece(waiting: Bool) throws(ArchiveError) -> Bool {
    guard written < current, ring.isDone(written, waiting: waiting) else { return false }
    let piece = ring[written]
    // A member is never empty.
    guard piece.outputCount > 0 else { throw ArchiveError(.caller, "libdeflate has not compressed a piece of a layer") }
    try downstream.write(UnsafeRawBufferPointer(rebasing: piece.output.bytes[..<piece.outputCount]))
    ring.release(written)
    written += 1
    return true
  }
}

/// Makes gzip members, one after the other, for one thread.
///
/// `@unchecked Sendable`: it is handed to the thread that uses it, and to no other one.
private final class GzipMember: @unchecked Sendable {
  /// The fastest level that is no more than 5 % larger than Podman's for texts and programs (decision 0015).
  private static let level: CInt = 3

  private let compressor: OpaquePointer

  /// - Throws: `ENOMEM`.
  init() throws(Errno) {
    guard let compressor = libdeflate_alloc_compressor(GzipMember.level) else { throw .noMemory }
    self.compressor = compressor
  }

  deinit { libdeflate_free_compressor(compressor) }

  static func mostBytes(for count: Int) -> Int { libdeflate_gzip_compress_bound(nil, count) }

  /// Compresses a piece into its output.
  func compress(_ piece: BlockRing.Block) {
    piece.outputCount = libdeflate_gzip_compress(
      compressor, piece.input.bytes.baseAddress, piece.count, piece.output.bytes.baseAddress, piece.output.bytes.count)
  }
}
