// SPDX-License-Identifier: Apache-2.0
package import StowageCompression
private import StowageModel

/// Writes the archives that `diff` produces, byte for byte as the reference does (archive-and-diff 3.3).
package final class TarWriter {
  /// How modification times are stored.
  package enum TimePrecision: Sendable {
    /// Whole seconds, rounded down: in diffs.
    case seconds
    /// With a PAX record for the fraction: when copying trees.
    case nanoseconds
  }

  private let sink: any ByteSink
  private let precision: TimePrecision
  private var remaining: Int64 = 0
  private var padding = 0
  private var block = HeaderBlock()

  /// Writes to `sink`.
  package init(_ sink: any ByteSink, precision: TimePrecision = .seconds) {
    self.sink = sink
    self.precision = precision
  }

  /// Begins an entry. A regular file's `size` bytes have to follow by `write`; of other kinds the size is ignored.
  ///
  /// The name of a directory has to end in `/`. `accessed` and `changed` are not written.
  ///
  /// - Throws: `.caller` if the previous file is not complete.
  package func begin(_ header: TarHeader) throws(ArchiveError) { try begin(header, adding: []) }

  /// Begins a regular file with holes, of which only the parts of the layout have to follow, in order.
  package func begin(_ header: TarHeader, with layout: SparseLayout) throws(ArchiveError) {
    let map = layout.map
    var stored = header
    stored.name = SparseLayout.storedName(for: header.name)
    stored.size = layout.parts.reduce(Int64(map.count)) { $0 + ($1.upperBound - $1.lowerBound) }
    try begin(stored, adding: layout.records(name: header.name))
    remaining -= Int64(map.count)
    try sink.write(map)
  }

  private func begin(_ header: TarHeader, adding more: [PAXEncoder.Record]) throws(ArchiveError) {
    try endContent()
    let size = header.kind == .regular ? header.size : 0
    let records = (more + PAXEncoder.records(for: header, size: size, precision: precision)).sorted {
      $0.key.lexicographicallyPrecedes($1.key)
    }
    if !records.isEmpty {
      if let bad = records.first(where: { !$0.isValid }) {
        let record = goQuoted(bytes: bad.key + Array(" = ".utf8) + bad.value)
        throw ArchiveError(.caller, "archive/tar: cannot encode header: invalid PAX record: \(record)")
      }
      let data = PAXEncoder.encode(records)
      block.fillExtended(name: header.name, dataSize: data.count)
      try write(block: block)
      try sink.write(data)
      try writeZeros(-data.count & 511)
    }
    block.fill(header, size: size, records: records)
    try write(block: block)
    remaining = size
    padding = Int((0 &- size) & 511)
  }

  /// Adds content of the current file.
  ///
  /// - Throws: `.caller` with `archive/tar: write too long` if it is more than announced.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    guard Int64(bytes.count) <= remaining else { throw ArchiveError(.caller, "archive/tar: write too long") }
    remaining -= Int64(bytes.count)
    try sink.write(bytes)
  }

  /// Ends the archive with two zero blocks. The sink is not finished.
  package func finish() throws(ArchiveError) {
    try endContent()
    try writeZeros(2 * TarBlock.size)
  }

  private func endContent() throws(ArchiveError) {
    guard remaining == 0 else {
      throw ArchiveError(.caller, "archive/tar: missed writing \(remaining) bytes")
    }
    try writeZeros(padding)
    padding = 0
  }

  private func write(block: HeaderBlock) throws(ArchiveError) { try sink.write(block.bytes) }

  private func writeZeros(_ count: Int) throws(ArchiveError) {
    guard count > 0 else { return }
    try sink.write([UInt8](repeating: 0, count: count))
  }
}
