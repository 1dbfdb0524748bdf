// SPDX-License-Identifier: Apache-2.0
private import StowageArchive
private import StowageCompression

/// Reads the input as the data of a PAX header in front of a file of one block.
func fuzzPAX(_ input: [UInt8]) {
  let archive =
    header(UInt8(ascii: "x"), input.count) + input + Array(repeating: 0, count: -input.count & 511)
    + header(UInt8(ascii: "0"), 512) + Array(repeating: 0x31, count: 512)
  try? read(archive)
}

private func read(_ archive: [UInt8]) throws {
  let reader = TarReader(BytesSource(archive))
  while try reader.next() != nil {
    parts: while true {
      if case .end = try reader.nextPart() { break parts }
    }
  }
}

private func header(_ type: UInt8, _ size: Int) -> [UInt8] {
  var block = [UInt8](repeating: 0, count: 512)
  block[0] = UInt8(ascii: "f")
  put(size, &block, 124, 11)
  block.replaceSubrange(148..<156, with: repeatElement(UInt8(ascii: " "), count: 8))
  block[156] = type
  block.replaceSubrange(257..<265, with: Array("ustar\u{0}00".utf8))
  put(block.reduce(0) { $0 + Int($1) }, &block, 148, 6)
  return block
}

private func put(_ number: Int, _ block: inout [UInt8], _ offset: Int, _ digits: Int) {
  var rest = number
  for index in stride(from: offset + digits - 1, through: offset, by: -1) {
    block[index] = UInt8(ascii: "0") + UInt8(rest & 7)
    rest >>= 3
  }
}
