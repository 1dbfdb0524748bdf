// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageCompression
import StowageFiles
import StowageModel
import StowageSystem
import SystemPackage

/// Blobs as members of a tar file.
///
/// A member's header has name and size, which are known of a compressed blob when it is written. In a file of our own the header
/// is filled in then; what goes to a pipe waits in an unnamed temporary file, one blob at a time.
final class TarBlobs: BlobOutput {
  /// The largest size that one header has room for: a larger one has a second header in front.
  private static let largest: Int64 = 0o77777777777

  private let sink: OutputSink
  private let canPatch: Bool

  /// - Parameter canPatch: whether `sink` writes to a regular file that was empty.
  init(_ sink: OutputSink, canPatch: Bool) {
    self.sink = sink
    self.canPatch = canPatch
  }

  /// Adds a directory; its name ends in `/`.
  func addDirectory(_ path: String) throws(StorageError) {
    try write(TarHeader(kind: .directory, name: Array(path.utf8), mode: 0o755))
  }

  func add(_ path: String, _ bytes: [UInt8]) throws(StorageError) {
    try write(header(path, Int64(bytes.count)))
    do throws(ArchiveError) {
      try sink.write(bytes)
      try pad()
    } catch { throw error.ofSave }
  }

  func addBlob(
    _ known: WrittenBlob?, bound: Int64?, at path: (Digest) -> String,
    _ write: (any ByteSink) throws(StorageError) -> Void
  ) throws(StorageError) -> WrittenBlob {
    if let known {
      try self.write(header(path(known.digest), known.size))
      try write(sink)
      do throws(ArchiveError) { try pad() } catch { throw error.ofSave }
      return known
    }
    // What does not compress becomes a little larger.
    let fits = bound.map { $0 <= TarBlobs.largest / 2 } ?? false
    return canPatch && fits ? try fillIn(path, write) : try spool(path, write)
  }

  /// Ends the archive.
  func finish() throws(StorageError) {
    do throws(ArchiveError) {
      try sink.write([UInt8](repeating: 0, count: 2 * 512))
      try sink.finish()
    } catch { throw error.ofSave }
  }

  /// Writes a blob, then its header in front of it.
  private func fillIn(
    _ path: (Digest) -> String, _ write: (any ByteSink) throws(StorageError) -> Void
  ) throws(StorageError) -> WrittenBlob {
    let start = sink.position
    do throws(ArchiveError) { try sink.write([UInt8](repeating: 0, count: 512)) } catch { throw error.ofSave }
    let counted = BlobSink(sink)
    try write(counted)
    let blob = counted.blob
    do throws(ArchiveError) {
      try pad()
      let bytes = BytesSink()
      try TarWriter(bytes).begin(header(path(blob.digest), blob.size))
      try sink.patch(bytes.bytes, at: start)
    } catch { throw error.ofSave }
    return blob
  }

  /// Writes a blob to a temporary file, and from there to the archive.
  private func spool(
    _ path: (Digest) -> String, _ write: (any ByteSink) throws(StorageError) -> Void
  ) throws(StorageError) -> WrittenBlob {
    let directory = ArchiveInput.temporaryDirectory
    let file: SharedDescriptor
    do throws(Errno) { file = SharedDescriptor(try ArchiveInput.openTemporaryFile(in: directory)) } catch {
      throw .failed("creating a temporary file in", directory, error)
    }
    let spool = OutputSink(
      file.rawValue, name: "a temporary file in \(directory) (TMPDIR names another directory)", sink.cancellation)
    let counted = BlobSink(spool)
    try write(counted)
    let blob = counted.blob
    do throws(ArchiveError) { try spool.finish() } catch { throw error.ofSave }
    return try addBlob(blob, bound: nil, at: path) { (sink) throws(StorageError) in
      do throws(ArchiveError) {
        try sink.write(contentsOf: FileRangeSource(InputFile(file, start: 0, end: blob.size), from: 0, to: blob.size))
      } catch { throw error.ofSave }
    }
  }

  private func header(_ path: String, _ size: Int64) -> TarHeader {
    TarHeader(kind: .regular, name: Array(path.utf8), mode: 0o644, size: size)
  }

  private func write(_ header: TarHeader) throws(StorageError) {
    do throws(ArchiveError) { try TarWriter(sink).begin(header) } catch { throw error.ofSave }
  }

  private func pad() throws(ArchiveError) {
    let rest = Int(-sink.position & 511)
    if rest > 0 { try sink.write([UInt8](repeating: 0, count: rest)) }
  }
}
