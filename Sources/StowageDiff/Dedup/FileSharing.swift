// SPDX-License-Identifier: Apache-2.0

internal import StowageCompression
internal import StowageDigest
internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// How files that may have the same content are told before the kernel compares them.
package enum ContentHash: String, CaseIterable, Sendable {
  /// CRC-64 of files of one size.
  case crc
  /// Nothing but the size.
  case size
  /// SHA-256 of files of one size.
  case sha256
}

/// Lets files with the same content in several trees share their blocks (graph-drivers 24).
///
/// The kernel compares before it shares, so no hash and no change by others can damage a file. Not for two threads at once.
package final class FileSharing {
  /// What files that may be equal have in common.
  private struct Likeness: Hashable {
    let device: UInt64
    let size: Int64
    /// Of the content; empty if that was not read.
    var fingerprint: [UInt8] = []
  }

  /// A file that others may be like, by its tree and its name there.
  private struct Place {
    let tree: Int
    let path: [UInt8]
    let identity: FileIdentity
  }

  private let hash: ContentHash
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
  private var trees: [FilePath] = []
  private var visited: Set<FileIdentity> = []
  /// The first file of each size, `nil` when it is among the sources: its content is read when a second is met.
  private var firsts: [Likeness: Place?] = [:]
  private var sources: [Likeness: [Place]] = [:]
  /// Bytes shared, those that were shared before included.
  package private(set) var sharedBytes: UInt64 = 0
  /// False when the file system has turned out to share no blocks; then nothing more is tried.
  package private(set) var isSupported = true

  /// Begins without trees.
  package init(_ hash: ContentHash) { self.hash = hash }

  deinit { buffer.deallocate() }

  /// Lets the files of one more tree share blocks with each other and with those of the trees before.
  ///
  /// Files that vanish or cannot be read are left out.
  ///
  /// - Throws: `system` if the tree itself cannot be walked.
  package func add(_ tree: FilePath) throws(StorageError) {
    trees.append(tree)
    let number = trees.count - 1
    try walkTree(at: tree) { (entry) throws(StorageError) in
      guard self.isSupported else { return .skip }
      let (status, identity) = (entry.status, FileIdentity(entry.status))
      guard status.kind == .regular, status.size > 0, self.visited.insert(identity).inserted else { return .enter }
      self.visit(Place(tree: number, path: entry.path, identity: identity), status)
      return .enter
    }
  }

  private func visit(_ place: Place, _ status: FileStatus) {
    let plain = Likeness(device: status.device, size: status.size)
    guard let first = firsts[plain] else {
      firsts[plain] = .some(place)
      return
    }
    if let first {
      firsts[plain] = .some(nil)
      // A file that has gone or cannot be read is not shared.
      if let file = try? open(first), let likeness = try? likeness(of: file.rawValue, plain) {
        sources[likeness, default: []].append(first)
      }
    }
    do throws(Errno) {
      let file = try open(place)
      let likeness = try likeness(of: file.rawValue, plain)
      for source in sources[likeness] ?? [] {
        if let count = try share(source, with: file.rawValue, status.size) {
          sharedBytes += count
          return
        }
      }
      sources[likeness, default: []].append(place)
    } catch {
      if error == .notSupported {
        isSupported = false
      } else {
        Log.debug("dedup: \(displayPath(place.path)): \(error.referenceText)")
      }
    }
  }

  /// Opens a file and makes sure that it is the one that was met.
  private func open(_ place: Place) throws(Errno) -> OwnedDescriptor {
    let tree = LayerRoot(owning: try Syscall.open(trees[place.tree], [.readOnly, .directory]))
    let file = try tree.open(place.path, [.readOnly, .noFollow, .nonBlocking])
    guard FileIdentity(try Syscall.fstat(file.rawValue)) == place.identity else { throw .staleNFSFileHandle }
    return file
  }

  private func likeness(of file: CInt, _ plain: Likeness) throws(Errno) -> Likeness {
    if hash == .size { return plain }
    var digest = SHA256Hasher()
    var checksum = CRC64()
    while true {
      let count = try Syscall.read(file, into: buffer)
      if count == 0 { break }
      let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      if hash == .crc { checksum.update(bytes) } else { digest.update(bytes) }
    }
    var result = plain
    result.fingerprint = hash == .crc ? checksum.bytes : Array(digest.finish().description.utf8)
    return result
  }

  /// - Returns: how many bytes are shared; `nil` if the files differ or the source has gone.
  private func share(_ source: Place, with file: CInt, _ size: Int64) throws(Errno) -> UInt64? {
    guard let original = try? open(source) else { return nil }
    var offset: UInt64 = 0
    let end = UInt64(size)
    while offset < end {
      // File systems do at most 16 MiB at once.
      let count = min(end - offset, 16 << 20)
      guard let shared = try Syscall.shareRange(of: original.rawValue, with: file, at: offset, count: count), shared > 0
      else { break }
      offset += shared
    }
    return offset > 0 ? offset : nil
  }
}
