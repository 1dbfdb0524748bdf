// SPDX-License-Identifier: Apache-2.0
package import StowageCompression

/// Writes the tar-split file of an archive while a `TarReader` reads that (archive-and-diff 7.1–7.4).
///
/// Content that the extracted tree will not hold byte for byte (sparse files, whiteouts) is kept in the file itself, so that
/// re-assembly always gives the archive (archive-and-diff 14, W5).
package final class TarSplitWriter: TarObserver {
  /// Segments are written out when they reach this size, the largest the reference makes.
  private static let segmentLimit = 1 << 20

  private let output: any ByteSink
  private var line = JSONLineBuffer(capacity: 128 << 10)
  private var segment: [UInt8] = []
  private var position: Int64 = 0
  private var names = CleanedNames()
  private var entryName: [UInt8] = []
  private var entrySize: Int64 = 0
  private var isContentInTree = false
  private var checksum = CRC64()

  /// Writes gzip data to `sink`. An archive without a byte gives a gzip of nothing.
  package init(_ sink: any ByteSink) throws(ArchiveError) {
    output = try GzipSink(sink, level: .fastest)
  }

  /// Writes the lines as they are to `sink`, which is finished with them.
  init(lines sink: any ByteSink) { output = sink }

  package func raw(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    segment.append(contentsOf: bytes)
    if segment.count >= Self.segmentLimit { try writeSegment() }
  }

  package func beginEntry(_ header: TarHeader) throws(ArchiveError) {
    guard names.insert(header.name) ?? false else { throw .duplicatePath }
    entryName = header.name
    isContentInTree = header.contentIsInTree
    entrySize = isContentInTree ? header.size : 0
    checksum = CRC64()
    if isContentInTree { try writeSegment() }
  }

  package func content(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    if isContentInTree {
      checksum.update(bytes)
    } else {
      try raw(bytes)
    }
  }

  package func endEntry() throws(ArchiveError) {
    try writeSegment()
    line.append("{\"type\":1")
    if !entryName.isEmpty {
      let isText = String(validating: entryName, as: UTF8.self) != nil
      line.append(isText ? ",\"name\":" : ",\"name_raw\":\"")
      entryName.withUnsafeBytes { isText ? line.append(quoted: $0) : line.append(base64: $0) }
      if !isText { line.append("\"") }
    }
    if entrySize != 0 {
      line.append(",\"size\":")
      line.append(entrySize)
      line.append(",\"payload\":\"")
      withUnsafeBytes(of: checksum.value.bigEndian) { line.append(base64: $0) }
      line.append("\"")
    } else {
      line.append(",\"payload\":null")
    }
    try endLine()
  }

  /// Writes what is left and completes the file. To be called after `TarReader.drain()`.
  package func finish() throws(ArchiveError) {
    try writeSegment()
    try output.write(line.bytes)
    line.removeAll()
    try output.finish()
  }

  private func writeSegment() throws(ArchiveError) {
    guard !segment.isEmpty else { return }
    line.append("{\"type\":2,\"payload\":\"")
    segment.withUnsafeBytes { line.append(base64: $0) }
    line.append("\"")
    segment.removeAll(keepingCapacity: true)
    try endLine()
  }

  private func endLine() throws(ArchiveError) {
    line.append(",\"position\":")
    line.append(position)
    line.append("}\n")
    position += 1
    // Few large calls: the compressor's start-up cost per call exceeds that of a short line.
    guard line.count >= 64 << 10 else { return }
    try output.write(line.bytes)
    line.removeAll()
  }
}
