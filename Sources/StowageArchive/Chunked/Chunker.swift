// SPDX-License-Identifier: Apache-2.0
internal import StowageCompression

/// Cuts the content of one file into chunks by what is in it: at holes, and where a rolling checksum says so
/// (chunked-and-composefs 1.3). Equal content gives equal chunks wherever it lies in a file.
struct Chunker {
  /// A part of the content, in order.
  enum Piece {
    /// Bytes as they came.
    case data(UnsafeRawBufferPointer)
    /// So many zero bytes.
    case zeros(Int)
    /// The chunk is complete; it may be empty, and then is none.
    case boundary(isHole: Bool)
  }

  /// The fewest zeros that are a chunk of their own.
  private static let holeThreshold = 1024

  private var checksum = RollingChecksum()
  /// Zeros met since the last other byte.
  private var run = 0
  /// Those of them that were not handed out.
  private var owed = 0
  private var isHole = false
  /// Where in a run that may still be data the checksum cuts, counted from its begin.
  private var cuts: [Int] = []

  /// Takes the next bytes of the file.
  mutating func feed(
    _ bytes: UnsafeRawBufferPointer, _ emit: (Piece) throws(ArchiveError) -> Void
  ) throws(ArchiveError) {
    var start = 0
    for index in bytes.indices {
      let byte = bytes[index]
      let isCut = checksum.roll(byte)
      if byte == 0 {
        if run == 0, start < index { try emit(.data(UnsafeRawBufferPointer(rebasing: bytes[start..<index]))) }
        try extendRun(isCut, emit)
        continue
      }
      if run > 0 {
        try endRun(emit)
        start = index
      }
      if isCut {
        try emit(.data(UnsafeRawBufferPointer(rebasing: bytes[start...index])))
        try emit(.boundary(isHole: false))
        start = index + 1
      }
    }
    if run == 0, start < bytes.count { try emit(.data(UnsafeRawBufferPointer(rebasing: bytes[start...]))) }
    if isHole, owed > 0 {
      try emit(.zeros(owed))
      owed = 0
    }
  }

  /// Ends the file.
  mutating func finish(_ emit: (Piece) throws(ArchiveError) -> Void) throws(ArchiveError) {
    if run > 0 { try endRun(emit) }
    try emit(.boundary(isHole: false))
  }

  private mutating func extendRun(
    _ isCut: Bool, _ emit: (Piece) throws(ArchiveError) -> Void
  ) throws(ArchiveError) {
    run += 1
    owed += 1
    if isHole { return }
    if isCut { cuts.append(run) }
    if run == Chunker.holeThreshold {
      isHole = true
      try emit(.boundary(isHole: false))
    }
  }

  private mutating func endRun(_ emit: (Piece) throws(ArchiveError) -> Void) throws(ArchiveError) {
    var done = 0
    if !isHole {
      for cut in cuts {
        try emit(.zeros(cut - done))
        try emit(.boundary(isHole: false))
        done = cut
      }
    }
    if owed > done { try emit(.zeros(owed - done)) }
    if isHole { try emit(.boundary(isHole: true)) }
    (run, owed, isHole) = (0, 0, false)
    cuts.removeAll()
  }
}

/// The checksum of the last 64 bytes of a file.
private struct RollingChecksum {
  private static let windowSize: UInt32 = 64
  private static let characterOffset: UInt32 = 31

  private var first = windowSize * characterOffset
  private var second = windowSize * (windowSize - 1) * characterOffset
  /// Sixty-four bytes, the oldest at `position`.
  private var window = [UInt8](repeating: 0, count: Int(windowSize))
  private var position = 0

  /// Takes a byte; true if a chunk ends after it.
  mutating func roll(_ byte: UInt8) -> Bool {
    let dropped = UInt32(window[position])
    first = first &+ UInt32(byte) &- dropped
    second = second &+ first &- Self.windowSize &* (dropped &+ Self.characterOffset)
    window[position] = byte
    position = (position + 1) & (Int(Self.windowSize) - 1)
    return second & 0xffff == 0xffff
  }
}
