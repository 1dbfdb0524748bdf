// SPDX-License-Identifier: Apache-2.0
internal import StowageCompression

/// The parts of a sparse file that are stored, in order; everything else is a hole (archive-and-diff 3.2).
struct SparseMap {
  /// The most parts a map may have.
  static let entryLimit: Int64 = 1 << 20
  /// The longest textual map in bytes.
  static let textLimit = 1 << 20

  struct Entry {
    var offset: Int64
    var length: Int64
    /// Checked against overflow by `validate`.
    var end: Int64 { offset &+ length }
  }

  var entries: [Entry] = []

  /// Whether the parts ascend, do not overlap and lie within `size` bytes.
  func isValid(for size: Int64) -> Bool {
    guard size >= 0 else { return false }
    var previousEnd: Int64 = 0
    for entry in entries {
      guard entry.offset >= 0, entry.length >= 0, entry.offset <= Int64.max - entry.length, entry.end <= size,
        entry.offset >= previousEnd
      else { return false }
      previousEnd = entry.end
    }
    return true
  }

  /// The map of PAX formats 0.0 and 0.1, which is in the records.
  init(records: PAXRecords) throws(ArchiveError) {
    let count = try records.number(records.sparseCount)
    guard count >= 0 else { throw .invalidHeader }
    guard count <= Self.entryLimit else { throw .sparseMapTooLong }
    var numbers: [Int64] = []
    if !records.sparsePairs.isEmpty {
      for range in records.sparsePairs { numbers.append(try records.number(range)) }
    } else if !records.sparseMap.isEmpty {
      for text in records.value(records.sparseMap).split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
      {
        guard let value = TarNumber.decimal(text) else { throw .invalidHeader }
        numbers.append(value)
      }
    }
    guard numbers.count == 2 * Int(count) else { throw .invalidHeader }
    entries = stride(from: 0, to: numbers.count, by: 2).map { Entry(offset: numbers[$0], length: numbers[$0 + 1]) }
  }

  /// The map of PAX format 1.0, which is text at the start of the content: a count, then offsets and lengths, one a line.
  ///
  /// `nextBlock` gives the content's blocks.
  init(readingText nextBlock: () throws(ArchiveError) -> UnsafeRawBufferPointer) throws(ArchiveError) {
    var remaining: Int64?
    var line: [UInt8] = []
    var offset: Int64?
    var total = 0
    while remaining != 0 || offset != nil {
      let block = try nextBlock()
      total += block.count
      guard total <= Self.textLimit else { throw .sparseMapTooLong }
      for byte in block {
        guard byte == UInt8(ascii: "\n") else {
          line.append(byte)
          continue
        }
        // What follows the last line is padding.
        if remaining == 0 && offset == nil { break }
        guard let value = TarNumber.decimal(line) else { throw .invalidHeader }
        line.removeAll(keepingCapacity: true)
        if let left = remaining {
          if let start = offset {
            entries.append(Entry(offset: start, length: value))
            offset = nil
            remaining = left - 1
          } else {
            offset = value
          }
        } else {
          guard value >= 0 else { throw .invalidHeader }
          guard value <= Self.entryLimit else { throw .sparseMapTooLong }
          remaining = value
        }
      }
    }
  }

  /// The map of the old GNU format: four parts in the header, more in the blocks that follow it.
  init(
    header block: TarBlock, extensionBlock: () throws(ArchiveError) -> UnsafeRawBufferPointer
  ) throws(ArchiveError) {
    try append(block.field(386, 96))
    var isExtended = block.bytes[482] != 0
    while isExtended {
      let more = try extensionBlock()
      guard more.count >= TarBlock.size else { throw .unexpectedEnd }
      try append(UnsafeRawBufferPointer(rebasing: more[..<504]))
      isExtended = more[504] != 0
      guard entries.count <= Self.entryLimit else { throw .sparseMapTooLong }
    }
  }

  private mutating func append(_ fields: UnsafeRawBufferPointer) throws(ArchiveError) {
    for start in stride(from: 0, to: fields.count, by: 24) {
      guard fields[start] != 0 else { return }
      let offset = try TarNumber.parse(UnsafeRawBufferPointer(rebasing: fields[start..<(start + 12)]))
      let length = try TarNumber.parse(UnsafeRawBufferPointer(rebasing: fields[(start + 12)..<(start + 24)]))
      entries.append(Entry(offset: offset, length: length))
    }
  }
}
