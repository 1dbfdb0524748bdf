// SPDX-License-Identifier: Apache-2.0
internal import StowageCompression

/// How far the content of a sparse file has been read.
struct SparseProgress {
  private static let zeros: ZeroPage = ZeroPage()

  let map: SparseMap
  let size: Int64
  var index = 0
  /// The logical offset reached.
  var position: Int64 = 0
  /// Zeros of a hole that `readContent` has still to deliver.
  var zerosOwed: Int64 = 0

  init(map: SparseMap, size: Int64) {
    self.map = map
    self.size = size
  }

  mutating func takeZeros() -> UnsafeRawBufferPointer {
    let bytes = Self.zeros.bytes
    let count = Int(min(zerosOwed, Int64(bytes.count)))
    zerosOwed -= Int64(count)
    return UnsafeRawBufferPointer(rebasing: bytes[..<count])
  }
}

/// Memory that holds zeros and is never written.
///
/// `@unchecked Sendable`: immutable after `init`.
private final class ZeroPage: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  init() {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 4096)
    _ = memory.initializeMemory(as: UInt8.self, repeating: 0)
    bytes = UnsafeRawBufferPointer(memory)
  }

  deinit { bytes.deallocate() }
}

extension TarReader {
  func nextSparsePart() throws(ArchiveError) -> Part {
    guard var progress = sparse else { return .end }
    defer { sparse = progress }
    while progress.index < progress.map.entries.count {
      let entry = progress.map.entries[progress.index]
      if progress.position < entry.offset {
        let count = entry.offset - progress.position
        progress.position = entry.offset
        return .hole(count)
      }
      let remaining = entry.end - progress.position
      if remaining > 0 {
        guard storedRemaining > 0 else {
          throw ArchiveError(.invalidHeader, "archive/tar: sparse file references non-existent data")
        }
        let bytes = try storedContent(upTo: remaining)
        progress.position += Int64(bytes.count)
        return .data(bytes)
      }
      progress.index += 1
    }
    if progress.position < progress.size {
      let count = progress.size - progress.position
      progress.position = progress.size
      return .hole(count)
    }
    guard storedRemaining == 0 else {
      throw ArchiveError(.invalidHeader, "archive/tar: sparse file contains unreferenced data")
    }
    return .end
  }
}
