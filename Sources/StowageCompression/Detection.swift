// SPDX-License-Identifier: Apache-2.0
package import StowageModel

/// The format of a layer stream, judged by its first bytes (archive-and-diff 2.1).
///
/// Waits for 10 bytes or the end of the stream, so a slow pipe is judged like a file.
package func detectCompression(of source: PeekedSource) throws(ArchiveError) -> Compression {
  let start = try source.peek(10)
  for (format, magic) in compressionMagics where start.starts(with: magic) { return format }
  return .none
}

private let compressionMagics: [(Compression, [UInt8])] = [
  (.bzip2, [0x42, 0x5A, 0x68]),
  (.gzip, [0x1F, 0x8B, 0x08]),
  (.xz, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]),
  (.zstd, [0x28, 0xB5, 0x2F, 0xFD]),
]

/// A source of the uncompressed bytes of `source`, which is in the given format.
///
/// All of `source` has been read once the result is at its end, also what follows the compressed data.
package func decoder(for format: Compression, over source: any ByteSource) -> any ByteSource {
  switch format {
  case .none: source
  case .bzip2: Bzip2Decoder(source)
  case .gzip: GzipDecoder(source)
  case .xz: XZDecoder(source)
  case .zstd: ZstdDecoder(source)
  }
}

/// A sink that writes the given format to `sink`.
///
/// - Throws: `.unsupported` for bzip2 and xz, which are only read (archive-and-diff 2.4).
package func encoder(for format: Compression, over sink: any ByteSink) throws(ArchiveError) -> any ByteSink {
  switch format {
  case .none: return sink
  case .gzip: return try GzipSink(sink)
  case .zstd: return try ZstdSink(sink)
  case .bzip2: throw ArchiveError(.unsupported, "unsupported compression format tar.bz2")
  case .xz: throw ArchiveError(.unsupported, "unsupported compression format tar.xz")
  }
}
