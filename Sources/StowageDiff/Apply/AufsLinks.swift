// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// Files AUFS keeps under `.wh..wh.plnk` for later hard links to copy (archive-and-diff 5.3).
///
/// They are unnamed files of the tree's file system, so nothing is left of them whatever happens.
struct AufsLinks {
  /// One of them.
  final class Source {
    /// Its header.
    let header: TarHeader
    private let file: OwnedDescriptor

    /// The descriptor of its content.
    var content: CInt { file.rawValue }

    init(header: TarHeader, file: consuming OwnedDescriptor) {
      self.header = header
      self.file = file
    }
  }

  private var sources: [[UInt8]: Source] = [:]

  /// Each one holds a descriptor; AUFS stores had a handful.
  private static let limit = 256

  /// Keeps an entry, whose content `fill` writes.
  mutating func store(
    _ header: TarHeader, name: ArraySlice<UInt8>, root: CInt, _ fill: (CInt) throws(StorageError) -> Void
  ) throws(StorageError) {
    guard sources.count < Self.limit else { throw StorageError(.invalidArchive, "too many aufs hardlinks") }
    let descriptor: CInt
    do throws(Errno) {
      descriptor = try withCString(copying: ".".utf8) { (name) throws(Errno) in
        try Syscall.openat(root, name, [.readWrite, .temporary], mode: 0o600).release()
      }
    } catch {
      throw .failed("open", name, error)
    }
    let file = OwnedDescriptor(owning: descriptor)
    try fill(file.rawValue)
    sources[Array(name)] = Source(header: header, file: file)
  }

  /// The file a hard link entry means, nil if it is an ordinary link.
  func source(of header: TarHeader) throws(StorageError) -> Source? {
    guard let target = EntryPath(cleaning: header.linkName), target.bytes.starts(with: aufsLinkDirectory) else {
      return nil
    }
    guard let source = sources[Array(target.base)] else { throw StorageError(.invalidArchive, "invalid aufs hardlink") }
    return source
  }
}
