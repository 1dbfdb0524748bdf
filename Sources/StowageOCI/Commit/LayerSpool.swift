// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageDigest
import StowageModel
import StowageSystem
import SystemPackage

/// The archive of a new layer, uncompressed, in a file without name: which identifier a layer has is known when all of its archive is
/// there.
struct LayerSpool {
  let blob: Blob
  let digest: Digest

  /// Takes what is written into `$TMPDIR`, or `/var/tmp`; the file goes with the last reference to it, also after a crash.
  ///
  /// - Throws: `system`, naming the directory if it has no space left; `cancelled`; what `write` throws.
  init(
    named name: String, _ cancellation: CancellationFlag, _ write: (any ByteSink) throws(StorageError) -> Void
  ) throws(StorageError) {
    let directory = ArchiveInput.temporaryDirectory
    let hint = "(TMPDIR names another directory)"
    let file: SharedDescriptor
    do throws(Errno) { file = SharedDescriptor(try ArchiveInput.openTemporaryFile(in: directory)) } catch {
      throw StorageError(
        .system, "creating a temporary file in \(directory) \(hint): \(error.referenceText)", path: directory.string,
        cause: error)
    }
    var hasher = SHA256Hasher()
    let sink = TeeSink(DescriptorSink(file.rawValue)) { (bytes) throws(ArchiveError) in
      if cancellation.isCancelled { throw .cancelled }
      hasher.update(bytes)
    }
    do throws(StorageError) {
      try write(sink)
      do throws(ArchiveError) { try sink.finish() } catch { throw error.ofSave }
    } catch {
      guard error.code == .system, "\(error)".contains(Errno.noSpace.referenceText) else { throw error }
      throw error.wrapped("writing the layer to a temporary file in \(directory) \(hint)")
    }
    blob = Blob(name: name, file: InputFile(file, start: 0, end: sink.count), offset: 0, size: sink.count)
    digest = hasher.finish()
  }

  /// Takes an archive that is there.
  ///
  /// - Throws: `invalidArchive` if it cannot be read; `cancelled`.
  init(_ file: InputFile, named name: String, _ cancellation: CancellationFlag) throws(StorageError) {
    blob = Blob(name: name, file: file, offset: file.start, size: file.end - file.start)
    var hasher = SHA256Hasher()
    let content = blob.open()
    do throws(ArchiveError) {
      while true {
        let chunk = try content.nextChunk()
        if chunk.isEmpty { break }
        if cancellation.isCancelled { throw .cancelled }
        hasher.update(chunk)
      }
    } catch {
      throw error.ofSave
    }
    digest = hasher.finish()
  }
}
