// SPDX-License-Identifier: Apache-2.0

/// Finds what was there before.
///
/// Positions whose first four bytes have one hash are a chain, the nearest first. Tables have the low 16 bits of positions: what
/// that stands for may be another position than the one that was meant, so whatever is there is compared.
struct MatchFinder {
  static let hashBits = 15
  /// How many earlier positions are looked at.
  private static let depth = 3
  /// A match of this length is good enough.
  private static let niceLength = 24
  private static let longest = 258

  let base: UnsafePointer<UInt8>
  let end: Int
  let head: UnsafeMutablePointer<UInt16>
  let previous: UnsafeMutablePointer<UInt16>

  /// Adds literals and matches until the block is full, or all bytes are in it.
  ///
  /// - Returns: the position after them.
  func fill(_ block: DeflateBlock, from start: Int) -> Int {
    var position = start
    while position < end && !block.isFull {
      let (length, distance) = match(position)
      if position &+ 4 <= end { insert(position) }
      if length < 4 {
        block.addLiteral(base[position])
        position &+= 1
        continue
      }
      block.addMatch(length, distance)
      // All of the match's positions, as far as they have four bytes; the first is in already.
      let last = min(position &+ length, end &- 3)
      var inside = position &+ 1
      while inside < last {
        insert(inside)
        inside &+= 1
      }
      position &+= length
    }
    return position
  }

  /// Makes a position, which has four bytes, one that later matches may begin at.
  @inline(__always) func insert(_ position: Int) {
    let bytes = four(position)
    let slot = hash(bytes)
    let low = UInt16(truncatingIfNeeded: position)
    previous[position & (Deflater.window &- 1)] = head[slot]
    head[slot] = low
  }

  /// The longest match of a position among the nearest; length 0 if there is none.
  @inline(__always) private func match(_ position: Int) -> (length: Int, distance: Int) {
    guard position &+ 4 <= end else { return (0, 0) }
    let most = min(MatchFinder.longest, end &- position)
    var (best, distance) = (3, 0)
    let bytes = four(position)
    let now = UInt16(truncatingIfNeeded: position)
    let farthest = min(Deflater.window, position)
    var back = Int(now &- head[hash(bytes)])
    var (rest, before) = (MatchFinder.depth, 0)
    while back > before && back <= farthest && rest > 0 {
      let candidate = position &- back
      if four(candidate) == bytes, best < most, base[candidate &+ best] == base[position &+ best] {
        let length = commonLength(candidate, position, most)
        if length > best {
          (best, distance) = (length, back)
          if length >= MatchFinder.niceLength { break }
        }
      }
      before = back
      back = Int(now &- previous[candidate & (Deflater.window &- 1)])
      rest &-= 1
    }
    return distance > 0 ? (best, distance) : (0, 0)
  }

  /// How many bytes, of which the first four are equal, are equal at two positions.
  @inline(__always) private func commonLength(_ a: Int, _ b: Int, _ most: Int) -> Int {
    let bytes = UnsafeRawPointer(base)
    var length = 4
    while length &+ 8 <= most {
      let difference =
        bytes.loadUnaligned(fromByteOffset: a &+ length, as: UInt64.self)
        ^ bytes.loadUnaligned(fromByteOffset: b &+ length, as: UInt64.self)
      if difference != 0 { return length &+ (UInt64(littleEndian: difference).trailingZeroBitCount &>> 3) }
      length &+= 8
    }
    while length < most && base[a &+ length] == base[b &+ length] { length &+= 1 }
    return length
  }

  @inline(__always) private func four(_ position: Int) -> UInt32 {
    UInt32(littleEndian: UnsafeRawPointer(base).loadUnaligned(fromByteOffset: position, as: UInt32.self))
  }

  @inline(__always) private func hash(_ four: UInt32) -> Int {
    Int(truncatingIfNeeded: (four &* 0x9E37_79B1) &>> UInt32(32 - MatchFinder.hashBits))
  }
}
