// SPDX-License-Identifier: Apache-2.0
private import StowageArchive
private import StowageCompression

/// Reads the input as the JSON of a tar-split file.
func fuzzTarSplit(_ input: [UInt8]) {
  let reader = TarSplitReader(BytesSource(input, chunkSize: 1 + input.count % 50))
  while (try? reader.next()) ?? nil != nil {}
}
