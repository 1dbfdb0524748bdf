// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
package import StowageCompression
internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// Puts a layer's archive together again, byte for byte, from its tar-split file and its tree (archive-and-diff 7.5).
///
/// Every name is resolved inside the root it is looked for in, so that no name and no link can make this read a file of the
/// host (archive-and-diff 14, W1). Only regular files are read.
///
/// - Parameters:
///   - tarSplit: the `.tar-split.gz` file.
///   - roots: where files are looked for, nearest first; the first that has a name counts.
///   - cancellation: stops the work between two files.
///   - sink: gets the archive; not finished.
/// - Throws: `corrupt` with `file integrity checksum failed for "<name>"` for a file that is not what was recorded, or with
///   the tar-split file's own trouble; `system`; `cancelled`. Earlier bytes have been written then, wrong ones not.
package func reassembleLayer(
  tarSplit: FilePath, roots: [FilePath], cancellation: CancellationFlag? = nil, to sink: any ByteSink
) throws(StorageError) {
  let file = try StoreFile.open(tarSplit)
  let trees = ContentRoots(roots)
  do throws(ArchiveError) {
    try reassemble(tarSplit: DescriptorSource(file.rawValue), into: sink) { (name) throws(ArchiveError) in
      do throws(StorageError) {
        try cancellation?.check()
        return .descriptor(try trees.open(name).release())
      } catch {
        throw ArchiveError(.caller, error.message, cause: error)
      }
    }
  } catch {
    throw error.asStorageError
  }
}

/// The trees a layer's files may be in.
private final class ContentRoots {
  private let paths: [FilePath]
  private var opened: [Root?]

  private final class Root {
    let tree: LayerRoot
    init(_ tree: consuming LayerRoot) { self.tree = tree }
  }

  init(_ paths: [FilePath]) {
    self.paths = paths
    opened = paths.map { _ in nil }
  }

  /// Opens a file in the first tree that has the name; otherwise the failure of the first tree counts.
  func open(_ name: [UInt8]) throws(StorageError) -> OwnedDescriptor {
    // Where the name was extracted to: `x/../a` is `a`, whether there is an `x` or not (archive-and-diff 4.2.1).
    guard let path = EntryPath(cleaning: name) else { throw integrityFailure(name) }
    var first: StorageError?
    for index in paths.indices {
      do throws(StorageError) {
        return try open(path, name, in: try root(index), paths[index])
      } catch {
        if error.code == .corrupt { throw error }
        first = first ?? error
      }
    }
    throw first ?? integrityFailure(name)
  }

  private func root(_ index: Int) throws(StorageError) -> Root {
    if let root = opened[index] { return root }
    let root = Root(try LayerRoot(paths[index]))
    opened[index] = root
    return root
  }

  private func open(
    _ entry: EntryPath, _ name: [UInt8], in root: Root, _ path: FilePath
  ) throws(StorageError) -> OwnedDescriptor {
    do throws(Errno) {
      // A look before the real open: opening a device can do something, opening a FIFO can wait.
      let place = Array(entry.bytes)
      let handle = try root.tree.open(place, .path)
      if try Syscall.fstat(handle.rawValue).kind == .regular {
        return try root.tree.open(place, [.readOnly, .nonBlocking])
      }
    } catch {
      throw .failed("open", FilePath("\(path)/\(String(decoding: name, as: UTF8.self))"), error)
    }
    throw integrityFailure(name)
  }

  private func integrityFailure(_ name: [UInt8]) -> StorageError {
    StorageError(.corrupt, "file integrity checksum failed for \(goQuoted(bytes: name))")
  }
}
