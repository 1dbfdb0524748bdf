// SPDX-License-Identifier: Apache-2.0

/// A whole record file: a JSON array of records of one kind, in file order.
///
/// What is not touched is written back byte for byte: records this version cannot use, members it does not know, entries
/// that repeat an identifier, number and time texts. Source: on-disk-format 4.1.
package struct RecordDocument<Record: StoreRecord>: Sendable {
  /// One element of the array.
  package struct Entry: Sendable {
    /// The record; nil if it is well formed but cannot be used (see `problem`).
    package let record: Record?
    /// Why there is no record.
    package let problem: String?
    /// Where the element is in the source; nil for an element to be encoded.
    fileprivate var range: Range<Int>?

    /// The place of an element that is gone.
    fileprivate static var hole: Entry { Entry(record: nil, problem: nil, range: nil) }
    fileprivate var isHole: Bool { record == nil && range == nil }
  }

  /// The elements in file order. What was removed leaves an entry without record.
  package private(set) var entries: [Entry] = []
  private var source: [UInt8] = []

  /// An empty file.
  package init() {}

  /// Reads a file's content. Nothing, or `null`, is an empty file.
  ///
  /// - Throws: ``RecordParseError`` if the content is not an array of objects, a member has the wrong type or a number
  ///   does not fit; the whole file is unusable then. An element `null` is refused too.
  package static func parse(_ bytes: [UInt8]) throws(RecordParseError) -> RecordDocument {
    var document = RecordDocument()
    if bytes.isEmpty { return document }
    document.entries = try bytes.withUnsafeBufferPointer { buffer throws(RecordParseError) in
      var reader = JSONReader(buffer)
      var entries: [Entry] = []
      try readEntries(&reader, into: &entries)
      if !reader.isAtEnd() { throw reader.failure("the end of the text") }
      return entries
    }
    document.source = bytes
    return document
  }

  /// Reads as much of a damaged file's content as makes sense: the elements before the first that does not.
  package static func readable(_ bytes: [UInt8]) -> RecordDocument {
    var document = RecordDocument()
    document.entries = bytes.withUnsafeBufferPointer { buffer in
      var reader = JSONReader(buffer)
      var entries: [Entry] = []
      do throws(RecordParseError) { try readEntries(&reader, into: &entries) } catch {
        // Where the damage begins.
      }
      return entries
    }
    document.source = bytes
    return document
  }

  // For other modules too: see `RecordTable`.
  @_specialize(where Record == LayerRecord)
  private static func readEntries(
    _ reader: inout JSONReader, into entries: inout [Entry]
  ) throws(RecordParseError) {
    if try reader.takeNull() { return }
    try reader.expect(0x5B)
    // Growing would move large values several times; records are rarely shorter than this.
    entries.reserveCapacity(reader.end / 480 + 1)
    var first = true
    while try reader.nextElement(&first) {
      if reader.peek() != 0x7B { throw reader.failure("a record") }
      let start = reader.position
      reader.problem = nil
      let record = try Record.decode(from: &reader)
      entries.append(Entry(record: record, problem: reader.problem, range: start..<reader.position))
    }
  }

  /// How many elements the file has.
  package var count: Int { entries.count { !$0.isHole } }

  /// The records that can be used, in file order.
  package var records: [Record] { entries.compactMap(\.record) }

  /// Adds a record at the end.
  package mutating func append(_ record: Record) {
    entries.append(Entry(record: record, problem: nil, range: nil))
  }

  /// Replaces an element.
  ///
  /// - Precondition: `index` is one of ``entries``.
  package mutating func replace(at index: Int, with record: Record) {
    entries[index] = Entry(record: record, problem: nil, range: nil)
  }

  /// Removes an element. Its place stays empty, so that the indices of the others do not change.
  ///
  /// - Precondition: `index` is one of ``entries``.
  package mutating func remove(at index: Int) { entries[index] = .hole }

  /// The file's content: compact, without line feed at the end; `[]` if there are no elements.
  package func encoded() -> [UInt8] {
    var copy = self
    return copy.encode()
  }

  /// The same; what is encoded now is only copied the next time, for who makes many records writes their file many times.
  package mutating func encode() -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(source.count + 1024)
    out.append(0x5B)
    for index in entries.indices where !entries[index].isHole {
      if out.count > 1 { out.append(0x2C) }
      let start = out.count
      if let range = entries[index].range {
        out.append(contentsOf: source[range])
      } else if let record = entries[index].record {
        var writer = JSONWriter(.recordFile)
        record.encode(into: &writer)
        out.append(contentsOf: writer.bytes)
      }
      entries[index].range = start..<out.count
    }
    out.append(0x5D)
    source = out
    return out
  }
}
