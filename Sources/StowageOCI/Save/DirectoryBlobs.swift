// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageFiles
import StowageModel
import StowageSystem
import SystemPackage

/// Blobs as files of a directory that nobody sees yet.
final class DirectoryBlobs: BlobOutput {
  private let directory: FilePath
  private let cancellation: CancellationFlag

  init(_ directory: FilePath, _ cancellation: CancellationFlag) {
    self.directory = directory
    self.cancellation = cancellation
  }

  func add(_ path: String, _ bytes: [UInt8]) throws(StorageError) {
    try write(directory.appending(path)) { (sink) throws(StorageError) in
      do throws(ArchiveError) { try sink.write(bytes) } catch { throw error.ofSave }
    }
  }

  func addBlob(
    _ known: WrittenBlob?, bound: Int64?, at path: (Digest) -> String,
    _ write: (any ByteSink) throws(StorageError) -> Void
  ) throws(StorageError) -> WrittenBlob {
    if let known {
      try self.write(directory.appending(path(known.digest)), write)
      return known
    }
    let partial = directory.appending("partial")
    var blob: WrittenBlob?
    try self.write(partial) { (sink) throws(StorageError) in
      let counted = BlobSink(sink)
      try write(counted)
      blob = counted.blob
    }
    guard let blob else { throw StorageError(.cancelled) }
    let name = directory.appending(path(blob.digest))
    do throws(Errno) { try Syscall.rename(partial, name) } catch { throw .failed("rename", partial, name, error) }
    return blob
  }

  private func write(
    _ path: FilePath, _ body: (any ByteSink) throws(StorageError) -> Void
  ) throws(StorageError) {
    let file: OwnedDescriptor
    do throws(Errno) { file = try Syscall.open(path, [.writeOnly, .create, .exclusive], mode: 0o644) } catch {
      throw .failed("open", path, error)
    }
    let sink = OutputSink(file.rawValue, name: path.string, cancellation)
    try body(sink)
    do throws(ArchiveError) { try sink.finish() } catch { throw error.ofSave }
    do throws(Errno) { try file.close() } catch { throw .failed("close", path, error) }
  }
}
