// SPDX-License-Identifier: Apache-2.0
private import StowageArchive
private import StowageCompression

/// Reads the input as the data of a PAX header in front of a file of one block.
func fuzzPAX(_ input: [UInt8]) {
  let name = Array("f".utf8)
  let archive =
    TarBlocks.header(name, type: UInt8(ascii: "x"), size: input.count) + TarBlocks.padded(input)
    + TarBlocks.header(name, type: UInt8(ascii: "0"), size: 512) + Array(repeating: 0x31, count: 512)
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
