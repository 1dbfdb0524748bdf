// SPDX-License-Identifier: Apache-2.0
import StowageArchive
import StowageCompression

/// Reads the input as the JSON of a tar-split file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let reader = TarSplitReader(
    BytesSource(UnsafeBufferPointer(start: start, count: count), chunkSize: 1 + count % 50))
  while (try? reader.next()) ?? nil != nil {}
  return 0
}
