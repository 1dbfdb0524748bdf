// SPDX-License-Identifier: Apache-2.0

/// Literals and matches until they are written as a block (RFC 1951, 3.2), after the blocks before.
final class DeflateBlock {
  /// With more, the codes fit each part less well; with less, they take too much room themselves.
  private static let mostTokens = 16_000
  private static let endOfBlock = 256
  /// The order in which the lengths of the codes of lengths are written.
  private static let lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  /// Where the block's bytes begin.
  private var first = 0
  private let tokens = UnsafeMutablePointer<UInt32>.allocate(capacity: DeflateBlock.mostTokens + 8)
  private var count = 0
  private let literals = HuffmanCode(symbols: 286, longest: 15)
  private let distances = HuffmanCode(symbols: 30, longest: 15)
  private let lengths = HuffmanCode(symbols: 19, longest: 7)
  /// The codes of match lengths less 3.
  private let lengthCodes = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
  private let lengthBases = UnsafeMutablePointer<UInt16>.allocate(capacity: 29)
  private var bits = BitWriter()

  init() {
    var base = 0
    for code in 0..<29 {
      // The longest match has a code of its own, although the one before has room for it.
      if code == 28 { base = 255 }
      lengthBases[code] = UInt16(base)
      let values = 1 << DeflateBlock.extraLengthBits(code)
      for value in base..<min(256, base + values) { lengthCodes[value] = UInt8(code) }
      base += values
    }
  }

  deinit {
    tokens.deallocate()
    lengthCodes.deallocate()
    lengthBases.deallocate()
  }

  /// Whether it is time to write the block.
  var isFull: Bool { count >= DeflateBlock.mostTokens }

  /// Begins a piece whose bytes begin at `start`.
  func begin(_ output: UnsafeMutableRawPointer, at start: Int) {
    bits = BitWriter(output)
    first = start
    clear()
  }

  @inline(__always) func addLiteral(_ byte: UInt8) {
    tokens[count] = UInt32(byte)
    literals.frequencies[Int(byte)] &+= 1
    count &+= 1
  }

  @inline(__always) func addMatch(_ length: Int, _ distance: Int) {
    tokens[count] = UInt32(truncatingIfNeeded: length) &<< 16 | UInt32(truncatingIfNeeded: distance)
    literals.frequencies[257 &+ Int(lengthCodes[length &- 3])] &+= 1
    distances.frequencies[distanceCode(distance)] &+= 1
    count &+= 1
  }

  /// Ends the piece with a whole byte.
  ///
  /// - Returns: the bytes written.
  func end(isLast: Bool, upTo next: Int, _ base: UnsafePointer<UInt8>) -> Int {
    if count > 0 || isLast { write(isLast: isLast, upTo: next, base) }
    // An empty stored block ends with a whole byte, and others may follow.
    if !isLast { writeStored(isLast: false, 0..<0, base) }
    bits.align()
    return bits.finish()
  }

  /// Writes the block, whose bytes end at `next`, in the shortest form.
  func write(isLast: Bool, upTo next: Int, _ base: UnsafePointer<UInt8>) {
    literals.frequencies[DeflateBlock.endOfBlock] = 1
    literals.build()
    distances.build()
    let description = describeCodes()
    let extra = extraBits()
    let dynamic =
      literals.cost { Int(literals.lengths[$0]) } + distances.cost { Int(distances.lengths[$0]) } + description.bits
    let fixed = literals.cost(DeflateBlock.fixedLength) + distances.cost { _ in 5 }
    let stored = (next - first + 5 * (1 + (next - first) / 0xFFFF)) * 8
    if stored < min(dynamic, fixed) + extra {
      writeStored(isLast: isLast, first..<next, base)
    } else {
      bits.add(isLast ? 1 : 0, 1)
      bits.add(fixed <= dynamic ? 1 : 2, 2)
      if fixed <= dynamic { useFixedCodes() } else { write(description) }
      writeTokens()
    }
    first = next
    clear()
  }

  private func clear() {
    count = 0
    literals.clear()
    distances.clear()
  }

  private func writeStored(isLast: Bool, _ range: Range<Int>, _ base: UnsafePointer<UInt8>) {
    var start = range.lowerBound
    repeat {
      let end = min(start + 0xFFFF, range.upperBound)
      bits.add(isLast && end == range.upperBound ? 1 : 0, 3)
      bits.align()
      bits.add(UInt64(end - start), 16)
      bits.add(UInt64(0xFFFF - (end - start)), 16)
      bits.copy(base + start, end - start)
      start = end
    } while start < range.upperBound
  }

  private func writeTokens() {
    for index in 0..<count {
      let token = tokens[index]
      guard token > 0xFFFF else {
        bits.add(UInt64(literals.codes[Int(token)]), Int(literals.lengths[Int(token)]))
        continue
      }
      let length = Int(token &>> 16) &- 3
      let code = Int(lengthCodes[length])
      bits.add(UInt64(literals.codes[257 &+ code]), Int(literals.lengths[257 &+ code]))
      bits.add(UInt64(length &- Int(lengthBases[code])), DeflateBlock.extraLengthBits(code))
      let distance = Int(token & 0xFFFF)
      let place = distanceCode(distance)
      bits.add(UInt64(distances.codes[place]), Int(distances.lengths[place]))
      let extra = DeflateBlock.extraDistanceBits(place)
      bits.add(UInt64(distance &- 1) & ((1 &<< UInt64(extra)) &- 1), extra)
    }
    bits.add(UInt64(literals.codes[DeflateBlock.endOfBlock]), Int(literals.lengths[DeflateBlock.endOfBlock]))
  }

  // MARK: - Codes

  private static func extraLengthBits(_ code: Int) -> Int { code < 8 || code == 28 ? 0 : code / 4 - 1 }
  private static func extraDistanceBits(_ code: Int) -> Int { code < 4 ? 0 : code / 2 - 1 }

  @inline(__always) private func distanceCode(_ distance: Int) -> Int {
    let value = distance &- 1
    if value < 4 { return value }
    let top = Int.bitWidth &- 1 &- value.leadingZeroBitCount
    return 2 &* top &+ (value &>> (top &- 1)) & 1
  }

  private func extraBits() -> Int {
    (0..<29).reduce(0) { $0 + Int(literals.frequencies[257 + $1]) * DeflateBlock.extraLengthBits($1) }
      + (0..<30).reduce(0) { $0 + Int(distances.frequencies[$1]) * DeflateBlock.extraDistanceBits($1) }
  }

  private static func fixedLength(_ symbol: Int) -> Int {
    symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8
  }

  private func useFixedCodes() {
    literals.use(DeflateBlock.fixedLength)
    distances.use { _ in 5 }
  }

  /// How the two codes are told: their lengths, run by run.
  private struct Description {
    /// Symbols of the code of lengths, with the number in their extra bits.
    var runs: [(symbol: Int, extra: Int)] = []
    var literals = 0
    var distances = 0
    var lengths = 0
    var bits = 0
  }

  private static let extraRunBits = [16: 2, 17: 3, 18: 7]

  private func describeCodes() -> Description {
    var description = Description()
    description.literals = max(257, 1 + ((0..<286).last { literals.lengths[$0] > 0 } ?? 0))
    description.distances = max(1, 1 + ((0..<30).last { distances.lengths[$0] > 0 } ?? 0))
    let all =
      (0..<description.literals).map { literals.lengths[$0] }
      + (0..<description.distances).map { distances.lengths[$0] }
    lengths.clear()
    var index = 0
    func add(_ symbol: Int, _ extra: Int = 0) {
      description.runs.append((symbol, extra))
      lengths.frequencies[symbol] += 1
    }
    while index < all.count {
      let length = all[index]
      var run = 1
      while index + run < all.count && all[index + run] == length { run += 1 }
      index += run
      if length == 0 {
        while run >= 11 {
          let part = min(run, 138)
          add(18, part - 11)
          run -= part
        }
        if run >= 3 {
          add(17, run - 3)
          run = 0
        }
      } else {
        add(Int(length))
        run -= 1
        while run >= 3 {
          let part = min(run, 6)
          add(16, part - 3)
          run -= part
        }
      }
      for _ in 0..<run { add(Int(length)) }
    }
    lengths.build()
    description.lengths = max(4, 1 + (DeflateBlock.lengthOrder.lastIndex { lengths.lengths[$0] > 0 } ?? 0))
    description.bits =
      14 + 3 * description.lengths + lengths.cost { Int(lengths.lengths[$0]) + (DeflateBlock.extraRunBits[$0] ?? 0) }
    return description
  }

  private func write(_ description: Description) {
    bits.add(UInt64(description.literals - 257), 5)
    bits.add(UInt64(description.distances - 1), 5)
    bits.add(UInt64(description.lengths - 4), 4)
    for symbol in DeflateBlock.lengthOrder[..<description.lengths] { bits.add(UInt64(lengths.lengths[symbol]), 3) }
    for run in description.runs {
      bits.add(UInt64(lengths.codes[run.symbol]), Int(lengths.lengths[run.symbol]))
      if let extra = DeflateBlock.extraRunBits[run.symbol] { bits.add(UInt64(run.extra), extra) }
    }
  }
}
