// SPDX-License-Identifier: Apache-2.0
package import StowageCompression

/// Reads a tar archive of any of the formats v7, ustar, PAX, GNU and STAR, by the reference's rules (archive-and-diff 3).
///
/// Headers are parsed where they lie in the source's buffer and content is handed out as slices of it. The observer, if
/// any, sees every byte. One consumer, not thread-safe.
package final class TarReader {
  /// The most bytes that a long name or the data of a PAX header may have.
  package static let metadataLimit: Int64 = 1 << 20

  /// A piece of an entry's content.
  package enum Part {
    /// The next bytes; valid until the next call of the reader.
    case data(UnsafeRawBufferPointer)
    /// So many zeros, which the archive does not store.
    case hole(Int64)
    /// The content is complete.
    case end
  }

  let input: TarInput
  let observer: (any TarObserver)?
  /// Content bytes of the current entry, as stored, that have not been read.
  var storedRemaining: Int64 = 0
  /// Padding behind the current content.
  private var padding: Int64 = 0
  private var isEntryOpen = false
  private var isAtEnd = false
  private var records = PAXRecords()
  private var longName: [UInt8] = []
  private var longLinkName: [UInt8] = []
  var sparse: SparseProgress?

  /// Reads the uncompressed archive in `source`.
  package init(_ source: any ByteSource, observer: (any TarObserver)? = nil) {
    input = TarInput(source)
    self.observer = observer
  }

  /// The next entry, skipping what is left of the current one; nil at the end of the archive.
  ///
  /// - Throws: `.invalidHeader`, `.fieldTooLong`, `.unexpectedEnd`; what the source or the observer throws.
  package func next() throws(ArchiveError) -> TarHeader? {
    guard !isAtEnd else { return nil }
    do throws(ArchiveError) {
      let header = try advance()
      isAtEnd = header == nil
      return header
    } catch {
      isAtEnd = true
      throw error
    }
  }

  /// The next piece of the current entry's content.
  package func nextPart() throws(ArchiveError) -> Part {
    if sparse != nil { return try nextSparsePart() }
    guard storedRemaining > 0 else { return .end }
    return .data(try storedContent(upTo: storedRemaining))
  }

  /// The next bytes of the current entry's content, holes as zeros; empty at the content's end.
  package func readContent() throws(ArchiveError) -> UnsafeRawBufferPointer {
    if case .some(var progress) = sparse, progress.zerosOwed > 0 {
      let zeros = progress.takeZeros()
      sparse = progress
      return zeros
    }
    switch try nextPart() {
    case .data(let bytes): return bytes
    case .end: return UnsafeRawBufferPointer(start: nil, count: 0)
    case .hole(let count):
      sparse?.zerosOwed = count
      return try readContent()
    }
  }

  /// Reads what is behind the archive's end to the end of the source, so that digests and the observer see all of it.
  package func drain() throws(ArchiveError) {
    while true {
      let slice = try input.slice(upTo: .max)
      if slice.isEmpty { return }
      try observer?.raw(slice)
    }
  }
}

extension TarReader {
  private func advance() throws(ArchiveError) -> TarHeader? {
    guard try finishEntry() else { return nil }
    records.reset()
    longName.removeAll(keepingCapacity: true)
    longLinkName.removeAll(keepingCapacity: true)
    while true {
      guard let block = try headerBlock() else { return nil }
      let format = try block.format()
      switch block.typeflag {
      case UInt8(ascii: "x"):
        _ = try block.header(format)
        records.reset()
        try readMetadata(block, into: &records.bytes)
        try records.parse()
      case UInt8(ascii: "g"):
        var header = try block.header(format)
        records.reset()
        try readMetadata(block, into: &records.bytes)
        try records.parse()
        let name = records.path.isEmpty ? header.name : Array(records.value(records.path))
        header = TarHeader(kind: .globalHeader, name: name)
        return try open(header)
      case UInt8(ascii: "L"):
        _ = try block.header(format)
        try readMetadata(block, into: &longName)
        truncateAtNUL(&longName)
      case UInt8(ascii: "K"):
        _ = try block.header(format)
        try readMetadata(block, into: &longLinkName)
        truncateAtNUL(&longLinkName)
      default:
        return try entry(block, format)
      }
      guard try skipPadding() else { return nil }
    }
  }

  /// Completes the header of a real entry and gets ready for its content.
  private func entry(_ block: TarBlock, _ format: TarBlock.Format) throws(ArchiveError) -> TarHeader {
    var header = try block.header(format)
    if !header.kind.isHeaderOnly && header.size < 0 { throw .invalidHeader }
    try records.apply(to: &header)
    if !longName.isEmpty { header.name = longName }
    if !longLinkName.isEmpty { header.linkName = longLinkName }
    if header.kind.rawValue == 0 {
      header.kind = header.name.last == UInt8(ascii: "/") ? .directory : .regular
    }
    if header.kind.isHeaderOnly {
      // Nothing follows; a negative size is as meaningless as any other and must not reach arithmetic.
      header.size = max(header.size, 0)
      storedRemaining = 0
    } else {
      guard header.size >= 0 else { throw .invalidHeader }
      storedRemaining = header.size
    }
    padding = paddingLength(storedRemaining)
    if let map = try sparseMap(&header, block, format) {
      guard !header.kind.isHeaderOnly, map.isValid(for: header.size) else { throw .invalidHeader }
      header.isSparse = true
      sparse = SparseProgress(map: map, size: header.size)
    }
    return try open(header)
  }

  private func open(_ header: TarHeader) throws(ArchiveError) -> TarHeader {
    isEntryOpen = true
    try observer?.beginEntry(header)
    return header
  }

  /// Passes the rest of the content and its padding; false if the archive ends in the padding, which is allowed.
  private func finishEntry() throws(ArchiveError) -> Bool {
    sparse = nil
    if isEntryOpen {
      while storedRemaining > 0 { _ = try storedContent(upTo: storedRemaining) }
      isEntryOpen = false
      try observer?.endEntry()
    }
    return try skipPadding()
  }

  private func skipPadding() throws(ArchiveError) -> Bool {
    while padding > 0 {
      let slice = try input.slice(upTo: padding)
      if slice.isEmpty {
        padding = 0
        return false
      }
      padding -= Int64(slice.count)
      try observer?.raw(slice)
    }
    return true
  }

  /// The next block that is not the archive's end; nil if that was met.
  private func headerBlock() throws(ArchiveError) -> TarBlock? {
    guard let first = try rawBlock() else { return nil }
    guard first.isZero else { return first }
    guard let second = try rawBlock() else { return nil }
    guard second.isZero else { throw .invalidHeader }
    return nil
  }

  private func rawBlock() throws(ArchiveError) -> TarBlock? {
    let bytes = try input.block()
    guard !bytes.isEmpty else { return nil }
    try observer?.raw(bytes)
    guard let block = TarBlock(bytes) else { throw .unexpectedEnd }
    return block
  }

  /// Reads the content of a header that describes the next one.
  private func readMetadata(_ block: TarBlock, into bytes: inout [UInt8]) throws(ArchiveError) {
    var remaining = try block.number(124, 12)
    guard remaining >= 0 else { throw .invalidHeader }
    guard remaining <= Self.metadataLimit else { throw .fieldTooLong }
    padding = paddingLength(remaining)
    storedRemaining = 0
    bytes.removeAll(keepingCapacity: true)
    while remaining > 0 {
      let slice = try input.slice(upTo: remaining)
      guard !slice.isEmpty else { throw .unexpectedEnd }
      bytes.append(contentsOf: slice)
      remaining -= Int64(slice.count)
      try observer?.raw(slice)
    }
  }

  private func truncateAtNUL(_ bytes: inout [UInt8]) {
    if let end = bytes.firstIndex(of: 0) { bytes.removeSubrange(end...) }
  }

  private func paddingLength(_ size: Int64) -> Int64 { (0 &- size) & 511 }

  /// Content as it is stored.
  func storedContent(upTo limit: Int64) throws(ArchiveError) -> UnsafeRawBufferPointer {
    let slice = try input.slice(upTo: min(limit, storedRemaining))
    guard !slice.isEmpty else { throw .unexpectedEnd }
    storedRemaining -= Int64(slice.count)
    try observer?.content(slice)
    return slice
  }

  private func sparseMap(
    _ header: inout TarHeader, _ block: TarBlock, _ format: TarBlock.Format
  ) throws(ArchiveError) -> SparseMap? {
    if header.kind == .gnuSparse {
      guard format == .gnu else { throw .invalidHeader }
      header.size = try block.number(483, 12)
      return try SparseMap(header: block) { () throws(ArchiveError) in
        let bytes = try input.block()
        try observer?.raw(bytes)
        return bytes
      }
    }
    guard !records.isEmpty else { return nil }
    return try paxSparseMap(&header)
  }

  private func paxSparseMap(_ header: inout TarHeader) throws(ArchiveError) -> SparseMap? {
    guard records.mentionsSparse else { return nil }
    let version = (Array(records.value(records.sparseMajor)), Array(records.value(records.sparseMinor)))
    let isInContent: Bool
    switch version {
    case (Array("0".utf8), Array("0".utf8)), (Array("0".utf8), Array("1".utf8)): isInContent = false
    case (Array("1".utf8), Array("0".utf8)): isInContent = true
    case ([], []) where !records.sparseMap.isEmpty || !records.sparsePairs.isEmpty: isInContent = false
    default: return nil
    }
    if !records.sparseName.isEmpty { header.name = Array(records.value(records.sparseName)) }
    let size = records.sparseSize.isEmpty ? records.sparseRealSize : records.sparseSize
    if !size.isEmpty { header.size = try records.number(size) }
    guard isInContent else { return try SparseMap(records: records) }
    // The map is not content of the file, so it goes to the observer with the header.
    return try SparseMap { () throws(ArchiveError) in
      guard storedRemaining >= Int64(TarBlock.size) else { throw .unexpectedEnd }
      let bytes = try input.block()
      try observer?.raw(bytes)
      guard bytes.count == TarBlock.size else { throw .unexpectedEnd }
      storedRemaining -= Int64(TarBlock.size)
      return bytes
    }
  }
}
