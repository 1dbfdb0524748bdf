// SPDX-License-Identifier: Apache-2.0

import StowageModel
import StowageSystem
import SystemPackage

/// An OCI layout or `dir:` image as files below a directory.
///
/// Symbolic links are followed as `open(2)` does: the directory is its owner's, and every blob has to match its digest.
struct DirectoryContainer: BlobContainer {
  private let descriptor: SharedDescriptor

  /// Looks below an open directory.
  init(_ descriptor: SharedDescriptor) {
    self.descriptor = descriptor
  }

  func blob(at path: String) throws(StorageError) -> Blob? {
    do throws(Errno) {
      // Without the flag a FIFO in the directory would hang the load.
      let file = SharedDescriptor(try Syscall.openat(descriptor.rawValue, path, [.readOnly, .nonBlocking]))
      let status = try Syscall.fstat(file.rawValue)
      if status.kind == .regular {
        return Blob(name: path, file: InputFile(file, start: 0, end: status.size), offset: 0, size: status.size)
      }
    } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw StorageError(.system, "\(path): \(error)", path: path, cause: error)
    }
    throw StorageError(.invalidArchive, "\(path): not a regular file", path: path)
  }
}
