// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import StowageSystem
internal import Synchronization

/// The mark a writer leaves in a lock file; two marks differ if anyone wrote in between (on-disk-format 8.4).
///
/// Opaque: only equality has a meaning. Empty if nobody ever recorded a write.
package struct LastWrite: Hashable, Sendable {
  /// What the file holds, at most 64 bytes.
  package let bytes: [UInt8]

  /// A mark as read from a file.
  package init(bytes: [UInt8]) { self.bytes = bytes }

  /// The size of a mark that is written. Older versions compare exactly this many bytes.
  package static let size = 64

  private static let counter = Atomic<UInt64>(0)

  /// A mark no other writer has: time, counter of this process, process number, random bytes.
  package static func fresh() -> LastWrite {
    let now = FileTime.now()
    let nanoseconds = UInt64(bitPattern: now.seconds &* 1_000_000_000 &+ now.nanoseconds)
    let count = counter.add(1, ordering: .relaxed).newValue
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    withUnsafeBytes(of: nanoseconds.littleEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: count.littleEndian) { bytes.append(contentsOf: $0) }
    withUnsafeBytes(of: UInt32(bitPattern: getpid()).littleEndian) { bytes.append(contentsOf: $0) }
    var generator = SystemRandomNumberGenerator()
    // Each word is a call of the kernel.
    while bytes.count < size {
      withUnsafeBytes(of: generator.next() as UInt64) { bytes.append(contentsOf: $0.prefix(size - bytes.count)) }
    }
    return LastWrite(bytes: bytes)
  }
}
