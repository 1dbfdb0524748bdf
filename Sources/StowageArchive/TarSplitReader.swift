// SPDX-License-Identifier: Apache-2.0
package import StowageCompression

/// Reads the records of a tar-split file, already decompressed, in order (archive-and-diff 7.2).
package final class TarSplitReader {
  /// One record.
  package enum Record {
    /// Archive bytes to be copied; valid until the next call.
    case segment(UnsafeRawBufferPointer)
    /// The place of a file's content: so many bytes with such a check value. The name is not cleaned.
    case file(name: [UInt8], size: Int64, checksum: UInt64?)
  }

  private var parser: JSONStreamParser
  private var names = CleanedNames()
  private var payload: [UInt8] = []
  private var name: [UInt8] = []

  /// Reads JSON objects from `source`.
  package init(_ source: any ByteSource) {
    parser = JSONStreamParser(source)
  }

  /// The next record, of unknown types none; nil at the end of the file.
  ///
  /// - Throws: `.invalidTarSplit`, `.unexpectedEnd`, `.duplicatePath`; what the source throws.
  package func next() throws(ArchiveError) -> Record? {
    while try parser.beginObject() {
      var type: Int64 = 0
      var size: Int64 = 0
      var hasPayload = false
      name.removeAll(keepingCapacity: true)
      payload.removeAll(keepingCapacity: true)
      while try parser.nextKey() {
        switch parser.key {
        case "type": type = try parser.integer()
        case "size": size = try parser.integer()
        case "name":
          if try parser.string() { name.append(contentsOf: parser.text) }
        case "name_raw":
          if try parser.string() { try decode(into: &name) }
        case "payload":
          hasPayload = try parser.string()
          if hasPayload { try decode(into: &payload) }
        default: try parser.skipValue()
        }
      }
      switch type {
      case 1:
        guard names.insert(name) ?? false else { throw .duplicatePath }
        return .file(name: name, size: size, checksum: hasPayload ? try checksum() : nil)
      case 2:
        // `payload` is not touched before the next call, so its memory may be lent.
        return .segment(lentPayload())
      default: continue
      }
    }
    return nil
  }

  private func decode(into bytes: inout [UInt8]) throws(ArchiveError) {
    let isValid = parser.text.withUnsafeBytes { Base64.decode($0, into: &bytes) }
    guard isValid else { throw ArchiveError(.invalidTarSplit, "tar-split: illegal base64 data") }
  }

  private func checksum() throws(ArchiveError) -> UInt64 {
    guard payload.count == 8 else { throw ArchiveError(.invalidTarSplit, "tar-split: check value is not 8 bytes") }
    return payload.reduce(0) { $0 << 8 | UInt64($1) }
  }

  private var lent = RawBuffer(count: 64 << 10)

  private func lentPayload() -> UnsafeRawBufferPointer {
    if lent.bytes.count < payload.count { lent = RawBuffer(count: payload.count * 2) }
    payload.withUnsafeBytes { lent.bytes.copyMemory(from: $0) }
    return UnsafeRawBufferPointer(rebasing: lent.bytes[..<payload.count])
  }
}
