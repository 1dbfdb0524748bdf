// SPDX-License-Identifier: Apache-2.0
import StowageArchive
import StowageCompression

/// Reads the input as an archive, after making its header checksums right so that mutations get past them.
///
/// Invariant: the tar-split file of an accepted archive gives the archive back.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  var archive = Array(UnsafeBufferPointer(start: start, count: count))
  for block in stride(from: 0, to: archive.count - 511, by: 512) where archive[block + 257] == UInt8(ascii: "u") {
    archive.replaceSubrange((block + 148)..<(block + 156), with: repeatElement(UInt8(ascii: " "), count: 8))
    var sum = archive[block..<(block + 512)].reduce(0) { $0 + Int($1) }
    for index in stride(from: block + 153, through: block + 148, by: -1) {
      archive[index] = UInt8(ascii: "0") + UInt8(sum & 7)
      sum >>= 3
    }
  }
  try? check(archive)
  return 0
}

private func check(_ archive: [UInt8]) throws {
  let output = BytesSink()
  let split = try TarSplitWriter(output)
  var files: [[UInt8]: [UInt8]] = [:]
  let reader = TarReader(BytesSource(archive, chunkSize: 1000), observer: split)
  while let header = try reader.next() {
    var content: [UInt8] = []
    while content.count < 1 << 20 {
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
