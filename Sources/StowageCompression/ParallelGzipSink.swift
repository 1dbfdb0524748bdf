// SPDX-License-Identifier: Apache-2.0
private import CIsal
private import Glibc
internal import StowageSystem
internal import SystemPackage

/// Writes one gzip member, on all processors.
///
/// Pieces of a mebibyte are compressed each on its own, with the 32 KiB before it as the dictionary: the same bytes become the same
/// ones on every machine, whatever the number of threads (registries 7.2).
package final class ParallelGzipSink: ByteSink {
  private static let pieceSize = 1 << 20
  private static let historySize = Deflater.window

  private let downstream: any ByteSink
  private let ring: BlockRing
  private var threads: [PlainThreadBox] = []
  /// Pieces that were begun, submitted, and written downstream; a piece being filled is begun.
  private var (current, written) = (0, 0)
  private var checksum: UInt32 = 0
  private var size: UInt32 = 0

  /// Holds a thread, of which there is no copy.
  private final class PlainThreadBox {
    private var thread: PlainThread?
    init(_ thread: consuming PlainThread) { self.thread = consume thread }
    func join() { thread.take()?.join() }
  }

  /// Compresses what is written to this sink into `downstream`; writes the header at once.
  ///
  /// - Parameter threads: how many, besides the caller's; nil for one on each processor.
  package init(_ downstream: any ByteSink, threads: Int? = nil) throws(ArchiveError) {
    self.downstream = downstream
    let count = threads ?? min(8, max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))))
    let room = Deflater.mostBytes(for: Self.pieceSize)
    ring = BlockRing(count: count + 2, input: Self.historySize + Self.pieceSize, output: room)
    let ring = ring
    do throws(Errno) {
      for _ in 0..<count {
        self.threads.append(PlainThreadBox(try PlainThread { ring.work(Deflater().compress) }))
      }
    } catch {
      // With the threads that there are it takes longer; none is not enough.
      if self.threads.isEmpty { throw ArchiveError.system("pthread_create", error) }
    }
    // No name, no time, no system: what equal layers have in common.
    try downstream.write([0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF])
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
      let place = piece.historyCount + piece.count
      UnsafeMutableRawBufferPointer(rebasing: piece.input.bytes[place...]).copyMemory(from: part)
      checksum = crc32_gzip_refl(checksum, part.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(part.count))
      size &+= UInt32(truncatingIfNeeded: part.count)
      piece.count += part.count
      rest = UnsafeRawBufferPointer(rebasing: rest[part.count...])
    }
  }

  package func finish() throws(ArchiveError) {
    ring[current].isLast = true
    ring.submit(current)
    while written <= current { _ = try writePiece(waiting: true) }
    let trailer = [checksum, size].flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
    try downstream.write(trailer)
    try downstream.finish()
  }

  /// Hands the full piece to the threads and begins another one.
  private func nextPiece() throws(ArchiveError) {
    let full = ring[current]
    ring.submit(current)
    current += 1
    // What is done goes on at once; the oldest is waited for if its place is needed.
    while try writePiece(waiting: current - written >= ring.count) {}
    let next = ring[current]
    let history = min(Self.historySize, full.count)
    let end = full.historyCount + full.count
    next.input.bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: full.input.bytes[(end - history)..<end]))
    next.historyCount = history
    next.count = 0
  }

  /// Writes the oldest piece downstream, if it is done.
  private func writePiece(waiting: Bool) throws(ArchiveError) -> Bool {
    guard written < current || ring[current].isLast, ring.isDone(written, waiting: waiting) else { return false }
    let piece = ring[written]
    try downstream.write(UnsafeRawBufferPointer(rebasing: piece.output.bytes[..<piece.outputCount]))
    ring.release(written)
    written += 1
    return true
  }
}

extension Deflater {
  /// Compresses a piece into its output.
  fileprivate func compress(_ piece: BlockRing.Block) {
    let bytes = UnsafeRawBufferPointer(rebasing: piece.input.bytes[..<(piece.historyCount + piece.count)])
    piece.outputCount = compress(bytes, from: piece.historyCount, isLast: piece.isLast, into: piece.output.bytes)
  }
}
