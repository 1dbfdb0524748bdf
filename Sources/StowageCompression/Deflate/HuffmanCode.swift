// SPDX-License-Identifier: Apache-2.0

/// A canonical prefix code of limited length for symbols whose frequencies are counted (RFC 1951, 3.2.2).
final class HuffmanCode {
  /// How often each symbol is, and after ``build()`` the bits of its code, reversed as they are written.
  let frequencies: UnsafeMutablePointer<UInt32>
  let codes: UnsafeMutablePointer<UInt16>
  /// How long the code of each symbol is; 0 for one that is not used.
  let lengths: UnsafeMutablePointer<UInt8>
  let symbols: Int
  private let longest: Int
  /// Used symbols, the rarest first.
  private var order: [Int] = []
  private var weights: [UInt32] = []

  init(symbols: Int, longest: Int) {
    self.symbols = symbols
    self.longest = longest
    frequencies = .allocate(capacity: symbols)
    codes = .allocate(capacity: symbols)
    lengths = .allocate(capacity: symbols)
    codes.initialize(repeating: 0, count: symbols)
    lengths.initialize(repeating: 0, count: symbols)
    frequencies.initialize(repeating: 0, count: symbols)
  }

  deinit {
    frequencies.deallocate()
    codes.deallocate()
    lengths.deallocate()
  }

  /// Forgets what was counted.
  func clear() { frequencies.update(repeating: 0, count: symbols) }

  /// How many bits the counted symbols take with certain lengths.
  func cost(_ length: (Int) -> Int) -> Int {
    var sum = 0
    for symbol in 0..<symbols { sum &+= Int(frequencies[symbol]) &* length(symbol) }
    return sum
  }

  /// Makes the code for what was counted. There is one code at least.
  func build() {
    lengths.update(repeating: 0, count: symbols)
    order.removeAll(keepingCapacity: true)
    for symbol in 0..<symbols where frequencies[symbol] > 0 { order.append(symbol) }
    // Equal frequencies in the order of symbols, so that the code is always the same.
    order.sort { (frequencies[$0], $0) < (frequencies[$1], $1) }
    var counts = [Int](repeating: 0, count: 64)
    if order.count < 2 {
      // Readers want a whole code, or one symbol of one bit.
      lengths[order.first ?? 0] = 1
    } else {
      countLengths(&counts)
      limit(&counts)
      var next = order.count
      for length in 1...longest {
        for _ in 0..<counts[length] {
          next -= 1
          lengths[order[next]] = UInt8(length)
        }
      }
    }
    assignCodes()
  }

  /// How many symbols have a code of each length, without limit: the lengths of an optimal code, found in place (Moffat and
  /// Katajainen, "In-place calculation of minimum-redundancy codes").
  private func countLengths(_ counts: inout [Int]) {
    weights = order.map { frequencies[$0] }
    let count = weights.count
    weights.withUnsafeMutableBufferPointer { a in
      // Weights of inner nodes take the place of leaves that have a parent, then their parents that of the weights.
      var (root, leaf) = (0, 0)
      for next in 0..<(count - 1) {
        var sum: UInt32 = 0
        for _ in 0..<2 {
          if leaf >= count || (root < next && a[root] < a[leaf]) {
            sum &+= a[root]
            a[root] = UInt32(next)
            root += 1
          } else {
            sum &+= a[leaf]
            leaf += 1
          }
        }
        a[next] = sum
      }
      // Then the depths of inner nodes take the place of their parents.
      a[count - 2] = 0
      for next in stride(from: count - 3, through: 0, by: -1) { a[next] = a[Int(a[next])] + 1 }
      var (available, depth, inner) = (1, 0, count - 2)
      while available > 0 {
        var used = 0
        while inner >= 0 && Int(a[inner]) == depth {
          used += 1
          inner -= 1
        }
        counts[min(depth, counts.count - 1)] += available - used
        available = 2 * used
        depth += 1
      }
    }
  }

  /// Shortens codes that are too long at the cost of others.
  private func limit(_ counts: inout [Int]) {
    for length in (longest + 1)..<counts.count {
      counts[longest] += counts[length]
      counts[length] = 0
    }
    var total = (1...longest).reduce(0) { $0 + counts[$1] << (longest - $1) }
    while total > 1 << longest {
      counts[longest] -= 1
      if let length = (1..<longest).last(where: { counts[$0] > 0 }) {
        counts[length] -= 1
        counts[length + 1] += 2
      }
      total -= 1
    }
  }

  /// Uses a code of certain lengths instead.
  func use(_ length: (Int) -> Int) {
    for symbol in 0..<symbols { lengths[symbol] = UInt8(length(symbol)) }
    assignCodes()
  }

  private func assignCodes() {
    var counts = [UInt32](repeating: 0, count: 16)
    for symbol in 0..<symbols { counts[Int(lengths[symbol])] += 1 }
    counts[0] = 0
    var next = [UInt32](repeating: 0, count: 17)
    for length in 1...15 { next[length + 1] = (next[length] + counts[length]) << 1 }
    for symbol in 0..<symbols where lengths[symbol] > 0 {
      let length = Int(lengths[symbol])
      let code = UInt16(truncatingIfNeeded: next[length])
      next[length] += 1
      codes[symbol] = HuffmanCode.reversed(code) >> UInt16(16 - length)
    }
  }

  private static func reversed(_ code: UInt16) -> UInt16 {
    var (rest, result): (UInt16, UInt16) = (code, 0)
    for _ in 0..<16 {
      result = result << 1 | rest & 1
      rest >>= 1
    }
    return result
  }
}
