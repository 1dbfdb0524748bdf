// SPDX-License-Identifier: Apache-2.0
private import StowageArchive
private import StowageCompression

/// Reads the input as an archive, after making its header checksums right so that mutations get past them.
///
/// Invariant: the tar-split file of an accepted archive gives the archive back.
func fuzzTar(_ input: [UInt8]) {
  var archive = input
  for block in stride(from: 0, to: archive.count - 511, by: 512) where archive[block + 257] == UInt8(ascii: "u") {
    for index in (block + 148)..<(block + 156) { archive[index] = UInt8(ascii: " ") }
    var sum = 0
    for index in block..<(block + 512) { sum += Int(archive[index]) }
    for index in stride(from: block + 153, through: block + 148, by: -1) {
      archive[index] = UInt8(ascii: "0") + UInt8(sum & 7)
      sum >>= 3
    }
  }
  try? check(archive)
}

private func check(_ archive: [UInt8]) throws {
  let output = BytesSink()
  let split = try TarSplitWriter(output)
  var files: [[UInt8]: [UInt8]] = [:]
  let reader = TarReader(BytesSource(archive, chunkSize: 1000), observer: split)
  while let header = try reader.next() {
    var content: [UInt8] = []
    // Only a file of holes is longer than the archive, and its content is not asked for below.
    while content.count <= archive.count {
      let part = try reader.readContent()
      if part.isEmpty { break }
      content.append(contentsOf: part)
    }
    files[header.name] = content
  }
  try reader.drain()
  try split.finish()
  let result = BytesSink()
  try reassemble(tarSplit: BytesSource(output.bytes), into: result) { name in .bytes(files[name] ?? []) }
  precondition(result.bytes == archive, "re-assembly differs from the archive")
}
