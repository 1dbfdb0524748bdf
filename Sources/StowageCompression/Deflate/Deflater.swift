// SPDX-License-Identifier: Apache-2.0

/// Compresses pieces of a stream with deflate (RFC 1951), each with what was before it as the dictionary.
///
/// The result depends on the bytes alone, not on the processor. It is as small as zlib's level 3, at half as much
/// again of its speed, and smaller than isa-l's, whose matches depend on the vector instructions of the processor.
final class Deflater {
  /// How far back a match may reach.
  static let window = 32 << 10

  private let head = UnsafeMutablePointer<UInt16>.allocate(capacity: 1 << MatchFinder.hashBits)
  private let previous = UnsafeMutablePointer<UInt16>.allocate(capacity: Deflater.window)
  private let block = DeflateBlock()

  deinit {
    head.deallocate()
    previous.deallocate()
  }

  /// The most bytes that a piece of that many becomes.
  static func mostBytes(for count: Int) -> Int { count + count / 1000 + 1024 }

  /// Compresses `bytes` from `start` on; what is before is the dictionary. The result ends with a whole byte.
  ///
  /// - Parameters:
  ///   - isLast: whether the stream ends here; else pieces may follow.
  ///   - output: has room for ``mostBytes(for:)``.
  /// - Returns: how many bytes it became.
  func compress(
    _ bytes: UnsafeRawBufferPointer, from start: Int, isLast: Bool, into output: UnsafeMutableRawBufferPointer
  ) -> Int {
    guard let base = bytes.baseAddress, let target = output.baseAddress else { return 0 }
    head.initialize(repeating: 0, count: 1 << MatchFinder.hashBits)
    previous.initialize(repeating: 0, count: Deflater.window)
    let finder = MatchFinder(
      base: base.assumingMemoryBound(to: UInt8.self), end: bytes.count, head: head,
      previous: previous)
    var position = max(0, start - Deflater.window)
    while position < min(start, bytes.count - 3) {
      finder.insert(position)
      position += 1
    }
    block.begin(target, at: start)
    position = start
    while position < bytes.count {
      position = finder.fill(block, from: position)
      if block.isFull { block.write(isLast: false, upTo: position, finder.base) }
    }
    return block.end(isLast: isLast, upTo: bytes.count, finder.base)
  }
}
