// SPDX-License-Identifier: Apache-2.0

import StowageFiles
import StowageModel
import StowageSystem
import SystemPackage

/// An OCI layout or `dir:` image as files below a directory.
///
/// Names, and the symbolic links among them, are resolved with the directory as root: not everything in it has a digest that it
/// must match, so a link could bring any file of the host into the store.
struct DirectoryContainer: BlobContainer {
  private let root: Root

  private final class Root: Sendable {
    let tree: LayerRoot
    init(_ tree: consuming LayerRoot) { self.tree = tree }
  }

  /// Looks below an open directory.
  init(_ descriptor: SharedDescriptor) throws(Errno) {
    root = Root(LayerRoot(owning: try Syscall.openat(descriptor.rawValue, ".", [.readOnly, .directory])))
  }

  func blob(at path: String) throws(StorageError) -> Blob? {
    do throws(Errno) {
      // A look before the real open: opening a device can do something, opening a FIFO can wait.
      let name = Array(path.utf8)
      let handle = try root.tree.open(name, .path)
      if try Syscall.fstat(handle.rawValue).kind == .regular {
        let file = SharedDescriptor(try root.tree.open(name, [.readOnly, .nonBlocking]))
        let status = try Syscall.fstat(file.rawValue)
        return Blob(name: path, file: InputFile(file, start: 0, end: status.size), offset: 0, size: status.size)
      }
    } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw StorageError(.system, "\(path): \(error)", path: path, cause: error)
    }
    throw StorageError(.invalidArchive, "\(path): not a regular file", path: path)
  }
}
