// SPDX-License-Identifier: Apache-2.0
private import Glibc
internal import StowageCompression

/// A header block seen in place (archive-and-diff 3.1). Always 512 bytes.
struct TarBlock {
  static let size = 512

  enum Format { case v7, ustar, gnu, star }

  let bytes: UnsafeRawBufferPointer

  /// Takes the first 512 bytes; nil if there are fewer.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.size else { return nil }
    self.bytes = UnsafeRawBufferPointer(rebasing: bytes[..<Self.size])
  }

  var isZero: Bool {
    // The name of a header rarely is empty, so the first byte decides nearly always.
    guard bytes[0] == 0 else { return false }
    return bytes.allSatisfy { $0 == 0 }
  }

  var typeflag: UInt8 { bytes[156] }

  func field(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
  }

  /// The bytes of a text field up to its first NUL.
  func text(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer { TarText.untilNUL(field(offset, count)) }

  func number(_ offset: Int, _ count: Int) throws(ArchiveError) -> Int64 {
    try TarNumber.parse(field(offset, count))
  }

  /// Verifies the checksum and tells the format.
  func format() throws(ArchiveError) -> Format {
    let recorded = try TarNumber.octal(field(148, 8))
    guard recorded == unsignedSum() || recorded == signedSum() else { throw .invalidHeader }
    if matches(257, "ustar\0") { return matches(508, "tar\0") ? .star : .ustar }
    return matches(257, "ustar  \0") ? .gnu : .v7
  }

  private func matches(_ offset: Int, _ text: StaticString) -> Bool {
    text.withUTF8Buffer { field(offset, $0.count).elementsEqual($0) }
  }

  private func unsignedSum() -> Int64 {
    var sum: UInt32 = 0
    for byte in bytes { sum &+= UInt32(byte) }
    for index in 148..<156 { sum &-= UInt32(bytes[index]) }
    return Int64(sum) + 8 * 32
  }

  private func signedSum() -> Int64 {
    var sum: Int64 = 8 * 32
    for index in 0..<Self.size where !(148..<156).contains(index) {
      sum += Int64(Int8(bitPattern: bytes[index]))
    }
    return sum
  }
}

/// Text of tar headers.
enum TarText {
  static func untilNUL(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let start = bytes.baseAddress, let found = memchr(start, 0, bytes.count) else { return bytes }
    return UnsafeRawBufferPointer(start: start, count: UnsafeRawPointer(found) - start)
  }
}

/// Numbers of tar headers and PAX records (archive-and-diff 3.2).
enum TarNumber {
  /// A numeric header field: base-256 if its first bit is set, else octal.
  static func parse(_ field: UnsafeRawBufferPointer) throws(ArchiveError) -> Int64 {
    guard let first = field.first, first & 0x80 != 0 else { return try octal(field) }
    let isNegative = first & 0x40 != 0
    let inversion: UInt8 = isNegative ? 0xFF : 0
    var value: UInt64 = 0
    for index in field.indices {
      var byte = field[index] ^ inversion
      if index == 0 { byte &= 0x7F }
      guard value >> 56 == 0 else { throw .invalidHeader }
      value = value << 8 | UInt64(byte)
    }
    guard value >> 63 == 0 else { throw .invalidHeader }
    let positive = Int64(value)
    return isNegative ? ~positive : positive
  }

  /// Octal digits between spaces and NULs; nothing is 0.
  static func octal(_ field: UnsafeRawBufferPointer) throws(ArchiveError) -> Int64 {
    var start = 0
    var end = field.count
    while start < end, isFiller(field[start]) { start += 1 }
    while end > start, isFiller(field[end - 1]) { end -= 1 }
    var value: Int64 = 0
    for index in start..<end {
      let byte = field[index]
      if byte == 0 {
        // What follows an embedded NUL does not count.
        break
      }
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "7"), value >> 60 == 0 else { throw .invalidHeader }
      value = value << 3 | Int64(byte - UInt8(ascii: "0"))
    }
    return value
  }

  /// A decimal number with an optional sign and nothing else; nil if it is none or above 63 bits.
  static func decimal(_ text: some Sequence<UInt8>) -> Int64? {
    var value: Int64 = 0
    var isNegative = false
    var count = 0
    for (index, byte) in text.enumerated() {
      if index == 0, byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") {
        isNegative = byte == UInt8(ascii: "-")
        continue
      }
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      let digit = Int64(byte - UInt8(ascii: "0"))
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) =
        isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
      guard !overflow, !carry else { return nil }
      value = sum
      count += 1
    }
    return count > 0 ? value : nil
  }

  private static func isFiller(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == 0 }
}
