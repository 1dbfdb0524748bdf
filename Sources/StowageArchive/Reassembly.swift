// SPDX-License-Identifier: Apache-2.0
private import Glibc
package import StowageCompression
private import StowageModel
private import StowageSystem
private import SystemPackage

/// Where `reassemble` gets the content of one file.
package enum TarSplitContent: Sendable {
  /// An open regular file, read from its start; closed afterwards.
  case descriptor(CInt)
  /// The content itself.
  case bytes([UInt8])
}

/// Puts an archive together from its tar-split file and the files of the extracted tree (archive-and-diff 7.5).
///
/// - Parameters:
///   - tarSplit: The gzip data of the tar-split file.
///   - sink: Gets the archive. It is not finished.
///   - open: Finds a file by the name the archive has for it. It has to resolve that within the layer, whatever the name says.
/// - Throws: `.integrity` with `file integrity checksum failed for "<name>"` if a file's size or content is not what was
///   recorded. A wrong size is found before any byte of the file is written; files of at most 1 MiB are checked before, too.
package func reassemble(
  tarSplit: any ByteSource, into sink: any ByteSink,
  open: (_ name: [UInt8]) throws(ArchiveError) -> TarSplitContent
) throws(ArchiveError) {
  let peeked = PeekedSource(tarSplit)
  let start = try peeked.peek(2)
  guard !start.isEmpty else { throw ArchiveError(.invalidTarSplit, "EOF") }
  guard start.starts(with: [0x1F, 0x8B]) else { throw ArchiveError(.invalidTarSplit, "gzip: invalid header") }
  let reader = TarSplitReader(GzipDecoder(peeked))
  // Made for the first descriptor: what is read from memory does not pay for it.
  lazy var buffer = RawBuffer(count: 1 << 20)
  while let record = try reader.next() {
    switch record {
    case .segment(let bytes): try sink.write(bytes)
    case .file(_, size: 0, _): continue
    case .file(let name, let size, let checksum):
      let isIntact: Bool
      switch try open(name) {
      case .bytes(let bytes): isIntact = try copy(bytes, size, checksum, to: sink)
      case .descriptor(let descriptor):
        defer { _ = close(descriptor) }
        isIntact = try copy(descriptor, size, checksum, to: sink, buffer.bytes)
      }
      guard isIntact else {
        throw ArchiveError(.integrity, "file integrity checksum failed for \(goQuoted(bytes: name))")
      }
    }
  }
}

private func copy(
  _ bytes: [UInt8], _ size: Int64, _ checksum: UInt64?, to sink: any ByteSink
) throws(ArchiveError) -> Bool {
  var found = CRC64()
  bytes.withUnsafeBytes { found.update($0) }
  guard Int64(bytes.count) == size, found.value == checksum else { return false }
  try sink.write(bytes)
  return true
}

private func copy(
  _ descriptor: CInt, _ size: Int64, _ checksum: UInt64?, to sink: any ByteSink, _ buffer: UnsafeMutableRawBufferPointer
) throws(ArchiveError) -> Bool {
  let status: FileStatus
  do throws(Errno) { status = try Syscall.fstat(descriptor) } catch { throw ArchiveError.system("fstat", error) }
  guard status.kind == .regular, status.size == size else { return false }
  var found = CRC64()
  var position: Int64 = 0
  while position < size {
    let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(Int64(buffer.count), size - position))])
    let count: Int
    do throws(Errno) { count = try Syscall.pread(descriptor, into: piece, at: position) } catch {
      throw ArchiveError.system("read", error)
    }
    guard count > 0 else { return false }
    position += Int64(count)
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    found.update(bytes)
    // The last piece is held back until the check value is known, so that a small file is checked before it is shown.
    if position == size && found.value != checksum { return false }
    try sink.write(bytes)
  }
  return true
}
