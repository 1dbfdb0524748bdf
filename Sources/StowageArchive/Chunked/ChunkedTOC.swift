// SPDX-License-Identifier: Apache-2.0
internal import StowageCompression
internal import StowageModel

/// The table of contents of a zstd:chunked layer, written entry by entry (chunked-and-composefs 1.5).
struct ChunkedTOC {
  /// What is in a file's content.
  struct Content {
    /// SHA-256 of the content.
    let digest: StowageModel.Digest
    /// Where its first frame begins in the layer.
    let offset: Int64
    /// Where the frame behind it begins.
    let endOffset: Int64
    /// Its parts, at least one.
    let chunks: [Chunk]
  }

  /// A part of a file that is a frame of its own.
  struct Chunk {
    /// Where it begins in the file.
    let fileOffset: Int64
    /// Where its frame begins in the layer.
    let offset: Int64
    /// Bytes of the file.
    let size: Int64
    /// SHA-256 of those.
    let digest: StowageModel.Digest
    /// Whether all of them are zero.
    let isHole: Bool
  }

  private var json = JSONWriter(.recordFile)
  private var isEmpty = true

  init() {
    json.beginObject()
    json.name("version")
    json.integer(1)
    json.name("entries")
  }

  /// Adds an entry of the archive.
  ///
  /// - Parameter content: nil if there is none.
  /// - Throws: `invalidHeader` for a kind that the format cannot tell.
  mutating func add(_ header: TarHeader, _ content: Content?) throws(ArchiveError) {
    guard let type = ChunkedTOC.types[header.kind] else {
      throw ArchiveError(.invalidHeader, "unknown tarball type: \(header.kind.rawValue)")
    }
    if isEmpty { json.beginArray() }
    isEmpty = false
    json.beginObject()
    text("type", Array(type.utf8))
    text("name", header.name)
    if !header.linkName.isEmpty { text("linkName", header.linkName) }
    number("mode", header.mode)
    number("size", header.kind == .hardLink ? 0 : header.size)
    number("uid", header.uid)
    number("gid", header.gid)
    time("modtime", header.modified)
    time("accesstime", header.accessed)
    time("changetime", header.changed)
    number("devMajor", header.deviceMajor)
    number("devMinor", header.deviceMinor)
    addAttributes(of: header)
    guard let content else { return json.endObject() }
    text("digest", Array(content.digest.description.utf8))
    number("offset", content.offset)
    number("endOffset", content.endOffset)
    if content.chunks.count > 1, let first = content.chunks.first { describe(first) }
    json.endObject()
    for chunk in content.chunks.dropFirst() {
      json.beginObject()
      text("type", Array("chunk".utf8))
      text("name", header.name)
      number("offset", chunk.offset)
      describe(chunk)
      json.endObject()
    }
  }

  /// Completes the text.
  ///
  /// - Parameter tarSplitDigest: that of the compressed tar-split.
  consuming func finish(tarSplitDigest: StowageModel.Digest) -> [UInt8] {
    if isEmpty { json.null() } else { json.endArray() }
    text("tarSplitDigest", Array(tarSplitDigest.description.utf8))
    json.endObject()
    return json.bytes
  }

  private static let types: [TarHeader.Kind: String] = [
    .regular: "reg", .hardLink: "hardlink", .symbolicLink: "symlink", .characterDevice: "char", .blockDevice: "block",
    .directory: "dir", .fifo: "fifo",
  ]

  private mutating func describe(_ chunk: Chunk) {
    number("chunkSize", chunk.size)
    number("chunkOffset", chunk.fileOffset)
    text("chunkDigest", Array(chunk.digest.description.utf8))
    if chunk.isHole { text("chunkType", Array("zeros".utf8)) }
  }

  private mutating func addAttributes(of header: TarHeader) {
    if header.extendedAttributes.isEmpty { return }
    json.name("xattrs")
    json.beginObject()
    for attribute in header.extendedAttributes.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
      json.name(String(decoding: attribute.name, as: UTF8.self))
      json.string(bytes: base64(attribute.value))
    }
    json.endObject()
  }

  private func base64(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { output, count in
      count = 0
      bytes.withUnsafeBytes { input in
        guard let from = input.baseAddress, let to = output.baseAddress else { return }
        count = Base64.encode(from, input.count, to: UnsafeMutableRawPointer(to))
      }
    }
  }

  private mutating func text(_ name: String, _ value: [UInt8]) {
    json.name(name)
    json.string(bytes: value)
  }

  private mutating func number(_ name: String, _ value: Int64) {
    if value == 0 { return }
    json.name(name)
    json.integer(value)
  }

  private mutating func time(_ name: String, _ value: ArchiveTime?) {
    guard let value else { return }
    json.name(name)
    json.time(Timestamp(seconds: value.seconds, nanoseconds: Int32(value.nanoseconds)))
  }
}
