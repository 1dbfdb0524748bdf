// SPDX-License-Identifier: Apache-2.0
package import StowageCompression

/// The archive of a tar-split file with zeros in place of the files' content: enough to read its headers, without the tree.
package final class TarSplitSkeleton: ChunkSource {
  private let reader: TarSplitReader
  private let zeros: RawBuffer
  private var zerosOwed: Int64 = 0

  /// Reads the gzip data of a tar-split file.
  package init(_ tarSplit: any ByteSource) {
    reader = TarSplitReader(GzipDecoder(tarSplit))
    zeros = RawBuffer(count: 64 << 10)
    zeros.bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  package func nextChunk() throws(ArchiveError) -> UnsafeRawBufferPointer {
    while true {
      if zerosOwed > 0 {
        let count = Int(min(zerosOwed, Int64(zeros.bytes.count)))
        zerosOwed -= Int64(count)
        return UnsafeRawBufferPointer(rebasing: zeros.bytes[..<count])
      }
      switch try reader.next() {
      case .segment(let bytes):
        if !bytes.isEmpty { return bytes }
      case .file(_, let size, _): zerosOwed = size
      case nil: return UnsafeRawBufferPointer(start: nil, count: 0)
      }
    }
  }

  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    throw ArchiveError(.unsupported, "a skeleton is read in chunks")
  }
}
