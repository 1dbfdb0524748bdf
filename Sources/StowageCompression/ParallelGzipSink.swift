// SPDX-License-Identifier: Apache-2.0
private import CIsal
private import Glibc
internal import StowageSystem
internal import SystemPackage

/// Writes one gzip member with isa-l, on all processors.
///
/// Pieces of a mebibyte are compressed each on its own, with the 32 KiB before it as the dictionary, so the bytes do not depend on
/// the number of threads. isa-l finds matches in another way on processors with other vector instructions: equal input gives equal
/// bytes on machines of one kind.
package final class ParallelGzipSink: ByteSink {
  private static let pieceSize = 1 << 20
  /// How far back a match may reach.
  private static let historySize = 32 << 10

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
    let room = Self.pieceSize + Self.pieceSize / 8 + (64 << 10)
    ring = BlockRing(count: count + 2, input: Self.historySize + Self.pieceSize, output: room)
    let ring = ring
    do throws(Errno) {
      for _ in 0..<count {
        self.threads.append(PlainThreadBox(try PlainThread { ring.work(DeflatePiece().compress) }))
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
    guard piece.outputCount >= 0 else { throw ArchiveError(.invalidCompressedData, "gzip: compressor failed") }
    try downstream.write(UnsafeRawBufferPointer(rebasing: piece.output.bytes[..<piece.outputCount]))
    ring.release(written)
    written += 1
    return true
  }
}

/// The compressor of one thread.
private final class DeflatePiece {
  private let stream = UnsafeMutablePointer<isal_zstream>.allocate(capacity: 1)
  private let work = RawBuffer(count: Int(stowage_isal_level3_buffer))

  deinit { stream.deallocate() }

  /// Compresses a piece into its output; a negative count says that this failed, which cannot be as there is room.
  func compress(_ piece: BlockRing.Block) {
    isal_deflate_init(stream)
    stream.pointee.level = 3
    stream.pointee.level_buf = work.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.level_buf_size = UInt32(work.bytes.count)
    stream.pointee.gzip_flag = UInt16(IGZIP_DEFLATE)
    let input = piece.input.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    if piece.historyCount > 0 {
      guard isal_deflate_set_dict(stream, input, UInt32(piece.historyCount)) == COMP_OK else {
        return piece.outputCount = -1
      }
    }
    stream.pointee.next_in = input.map { $0 + piece.historyCount }
    stream.pointee.avail_in = UInt32(piece.count)
    stream.pointee.next_out = piece.output.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(piece.output.bytes.count)
    stream.pointee.end_of_stream = piece.isLast ? 1 : 0
    stream.pointee.flush = UInt16(piece.isLast ? NO_FLUSH : SYNC_FLUSH)
    let code = isal_deflate(stream)
    let isWhole = code == COMP_OK && stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0
    piece.outputCount = isWhole ? piece.output.bytes.count - Int(stream.pointee.avail_out) : -1
  }
}
