// SPDX-License-Identifier: Apache-2.0

/// Archives made by hand: headers as they are wanted, right or wrong, only with a checksum that gets them read.
enum TarBlocks {
  /// A ustar header. What has no room is cut.
  static func header(
    _ name: [UInt8], type: UInt8, size: Int = 0, mode: Int = 0o644, uid: Int = 0, link: [UInt8] = [], time: Int = 0,
    device: Int = 0
  ) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    block.replaceSubrange(0..<min(100, name.count), with: name.prefix(100))
    put(mode, &block, 100, 7)
    put(uid, &block, 108, 7)
    put(uid, &block, 116, 7)
    put(size, &block, 124, 11)
    put(time, &block, 136, 11)
    block[156] = type
    block.replaceSubrange(157..<(157 + min(100, link.count)), with: link.prefix(100))
    block.replaceSubrange(257..<265, with: Array("ustar\u{0}00".utf8))
    put(device, &block, 329, 7)
    put(device, &block, 337, 7)
    setChecksum(&block, at: 0)
    return block
  }

  /// Content with the zeros that fill its last block.
  static func padded(_ content: [UInt8]) -> [UInt8] { content + Array(repeating: 0, count: -content.count & 511) }

  /// Makes the checksums of all that looks like a header right, so that mutations get past them.
  static func repairChecksums(_ archive: inout [UInt8]) {
    for block in stride(from: 0, to: archive.count - 511, by: 512) where archive[block + 257] == UInt8(ascii: "u") {
      setChecksum(&archive, at: block)
    }
  }

  private static func setChecksum(_ archive: inout [UInt8], at block: Int) {
    for index in (block + 148)..<(block + 156) { archive[index] = UInt8(ascii: " ") }
    var sum = 0
    for index in block..<(block + 512) { sum += Int(archive[index]) }
    put(sum, &archive, block + 148, 6)
  }

  private static func put(_ number: Int, _ block: inout [UInt8], _ offset: Int, _ digits: Int) {
    var rest = number
    for index in stride(from: offset + digits - 1, through: offset, by: -1) {
      block[index] = UInt8(ascii: "0") + UInt8(rest & 7)
      rest >>= 3
    }
  }
}
