// SPDX-License-Identifier: Apache-2.0
private import StowageArchive
private import StowageCompression

/// Reads the input as an archive, after making its header checksums right so that mutations get past them.
///
/// Invariant: the tar-split file of an accepted archive gives the archive back.
func fuzzTar(_ input: [UInt8]) {
  var archive = input
  TarBlocks.repairChecksums(&archive)
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
