// SPDX-License-Identifier: Apache-2.0

/// Writes bits, the lowest first, into memory that is large enough.
struct BitWriter {
  private var start: UnsafeMutableRawPointer?
  private var next: UnsafeMutableRawPointer?
  private var pending: UInt64 = 0
  private var count = 0

  init() {}

  init(_ output: UnsafeMutableRawPointer) {
    start = output
    next = output
  }

  /// Adds up to 16 bits.
  @inline(__always) mutating func add(_ bits: UInt64, _ number: Int) {
    pending |= bits &<< UInt64(truncatingIfNeeded: count)
    count &+= number
    guard count >= 32, let place = next else { return }
    place.storeBytes(of: UInt32(truncatingIfNeeded: pending).littleEndian, as: UInt32.self)
    next = place + 4
    pending &>>= 32
    count &-= 32
  }

  /// Fills the last byte, and puts it into memory.
  mutating func align() {
    while count > 0 {
      next?.storeBytes(of: UInt8(truncatingIfNeeded: pending), as: UInt8.self)
      next = next.map { $0 + 1 }
      pending >>= 8
      count -= 8
    }
    count = 0
    pending = 0
  }

  /// Copies whole bytes, after ``align()`` or whole bytes.
  mutating func copy(_ bytes: UnsafePointer<UInt8>, _ number: Int) {
    align()
    next?.copyMemory(from: bytes, byteCount: number)
    next = next.map { $0 + number }
  }

  /// How many bytes were written.
  func finish() -> Int {
    guard let start, let next else { return 0 }
    return next - start
  }
}
