// SPDX-License-Identifier: Apache-2.0
private import CIsal

/// CRC-64/GO-ISO, the check of file content in tar-split files (archive-and-diff 7.3).
///
/// isa-l folds with carry-less multiplication where the processor has it: well above memory speed of a byte table.
package struct CRC64: Sendable {
  /// The check value of everything seen so far; 0 for nothing.
  package private(set) var value: UInt64 = 0

  /// Starts with nothing seen.
  package init() {}

  /// Adds `bytes`.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    value = crc64_iso_refl(value, start.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
  }

  /// The check value as it is stored: big endian.
  package var bytes: [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
}
