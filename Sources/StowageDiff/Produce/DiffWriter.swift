// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageCompression
internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// Writes objects of a tree into an archive, one after the other (archive-and-diff 8.4).
final class DiffWriter {
  private let tar: TarWriter
  private let maps: IDMaps
  private let cancellation: CancellationFlag?
  /// First name in this archive of each file with several names.
  private var firstNames: [FileIdentity: [UInt8]] = [:]
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)

  init(_ sink: any ByteSink, maps: IDMaps, cancellation: CancellationFlag?) {
    tar = TarWriter(sink)
    self.maps = maps
    self.cancellation = cancellation
  }

  deinit { buffer.deallocate() }

  /// Adds an object under its path. Sockets and owners without a place in the container are left out, with a log line.
  ///
  /// - Returns: the header written, nil if it was left out.
  @discardableResult
  func add(_ entry: borrowing FoundObject) throws(StorageError) -> TarHeader? {
    try cancellation?.check()
    guard var header = try header(of: entry) else { return nil }
    if !entry.status.isDirectory, entry.status.linkCount > 1 { linkIfRepeated(&header, entry.status) }
    do throws(IDMapError) {
      (header.uid, header.gid) = try mapped(entry.status, isLiteralWhiteout: isWhiteoutName(header.name))
    } catch {
      Log.error("Can't add file \(displayPath(entry.path)) to tar: \(error); skipping")
      return nil
    }
    try begin(header)
    if header.kind == .regular, header.size > 0 { try writeContent(entry) }
    return header
  }

  /// Adds the whiteout that overlayfs keeps as the device `entry` (archive-and-diff 5.4).
  func addWhiteout(_ entry: borrowing FoundObject) throws(StorageError) {
    try cancellation?.check()
    // Who cannot be named inside must not bring the deleted file back (14 W15).
    let owner = maps.toContainer(uid: Int(entry.status.uid), gid: Int(entry.status.gid)) ?? (0, 0)
    var header = TarHeader(
      kind: .regular, name: whiteoutName(entry.path), uid: Int64(owner.uid), gid: Int64(owner.gid),
      modified: ArchiveTime(entry.status.modificationTime))
    // The kernel makes whiteouts as names of one inode; the reference leaves the first deleted name in the headers of the
    // others, where no reader looks. Kept so that equal layers give equal bytes (14 W14).
    if entry.status.linkCount > 1 {
      let identity = FileIdentity(entry.status)
      if let first = firstNames[identity] { header.linkName = first } else { firstNames[identity] = entry.path }
    }
    try begin(header)
  }

  /// Adds the mark of an opaque directory, whose own header was just written.
  func addOpaqueMarker(for directory: TarHeader) throws(StorageError) {
    try begin(
      TarHeader(
        kind: .regular, name: directory.name + opaqueMarker, mode: directory.mode & 0o777, uid: directory.uid,
        gid: directory.gid))
  }

  /// Adds a whiteout for a path that no longer exists.
  func addDeletion(_ path: [UInt8], now: FileTime) throws(StorageError) {
    let seconds = now.nanoseconds >= 500_000_000 ? now.seconds + 1 : now.seconds
    try begin(TarHeader(kind: .regular, name: whiteoutName(path), modified: ArchiveTime(seconds: seconds)))
  }

  /// Ends the archive. The sink is not finished.
  func finish() throws(StorageError) {
    do throws(ArchiveError) { try tar.finish() } catch { throw error.asStorageError }
  }

  // MARK: Headers

  private func header(of entry: borrowing FoundObject) throws(StorageError) -> TarHeader? {
    let status = entry.status
    let kind: TarHeader.Kind
    switch status.kind {
    case .regular: kind = .regular
    case .directory: kind = .directory
    case .symbolicLink: kind = .symbolicLink
    case .characterDevice: kind = .characterDevice
    case .blockDevice: kind = .blockDevice
    case .fifo: kind = .fifo
    case .socket:
      Log.info("Skipping socket \(displayPath(entry.path))")
      return nil
    case .unknown:
      throw StorageError(.system, "archive/tar: unknown file mode \(displayPath(entry.path))")
    }
    var header = TarHeader(
      kind: kind, name: status.isDirectory ? entry.path + [UInt8(ascii: "/")] : entry.path,
      mode: Int64(status.permissions), size: kind == .regular ? max(0, status.size) : 0,
      modified: ArchiveTime(status.modificationTime))
    do throws(Errno) {
      if kind == .symbolicLink { header.linkName = try Syscall.readlinkat(entry.directory, entry.name) }
    } catch {
      throw callFailure("readlink", entry.path, error)
    }
    if kind == .characterDevice || kind == .blockDevice {
      header.deviceMajor = Int64(status.deviceMajor)
      header.deviceMinor = Int64(status.deviceMinor)
    }
    header.extendedAttributes = attributes(of: entry)
    return header
  }

  /// Capabilities, IMA signatures and what users set; nothing that belongs to the store or the host.
  private func attributes(of entry: borrowing FoundObject) -> [TarHeader.ExtendedAttribute] {
    // File systems without attributes say so with an error.
    guard let names = try? Syscall.listxattrat(entry.directory, entry.name), !names.isEmpty else { return [] }
    var found: [TarHeader.ExtendedAttribute] = []
    let (directory, object) = (entry.directory, entry.name)
    for name in names where isArchived(name) {
      do throws(Errno) {
        let value = try withCString(copying: name) { (attribute) throws(Errno) in
          try Syscall.getxattrat(directory, object, attribute)
        }
        if let value { found.append(TarHeader.ExtendedAttribute(name: name, value: value)) }
      } catch {
        Log.error("failed to get \(goQuoted(bytes: name)) from \(displayPath(entry.path)): \(error.referenceText)")
      }
    }
    return found
  }

  private func isArchived(_ name: [UInt8]) -> Bool {
    if name.starts(with: "user.".utf8) { return !name.starts(with: "user.overlay.".utf8) }
    return name.elementsEqual("security.capability".utf8) || name.elementsEqual("security.ima".utf8)
  }

  private func linkIfRepeated(_ header: inout TarHeader, _ status: FileStatus) {
    guard let first = firstNames[FileIdentity(status)] else {
      firstNames[FileIdentity(status)] = header.name
      return
    }
    header.kind = .hardLink
    header.linkName = first
    header.size = 0
  }

  private func mapped(
    _ status: FileStatus, isLiteralWhiteout: Bool
  ) throws(IDMapError) -> (uid: Int64, gid: Int64) {
    if isLiteralWhiteout { return (Int64(status.uid), Int64(status.gid)) }
    let owner = try maps.containerIDs(uid: Int(status.uid), gid: Int(status.gid))
    return (Int64(owner.uid), Int64(owner.gid))
  }

  private func isWhiteoutName(_ name: [UInt8]) -> Bool {
    EntryPath(relative: name.last == UInt8(ascii: "/") ? name.dropLast() : name[...]).base.starts(with: whiteoutPrefix)
  }

  private func whiteoutName(_ path: [UInt8]) -> [UInt8] {
    let offset = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    return Array(path[..<offset]) + whiteoutPrefix + Array(path[offset...])
  }

  // MARK: Bytes

  private func begin(_ header: TarHeader) throws(StorageError) {
    do throws(ArchiveError) { try tar.begin(header) } catch { throw error.asStorageError }
  }

  /// Copies a file's bytes. One that has another size by now makes the diff fail: padding it would record content that never
  /// was (14 W17).
  private func writeContent(_ entry: borrowing FoundObject) throws(StorageError) {
    let file = try opened(entry)
    while true {
      let count: Int
      do throws(Errno) { count = try Syscall.read(file.rawValue, into: buffer) } catch {
        throw callFailure("read", entry.path, error)
      }
      if count == 0 { return }
      do throws(ArchiveError) { try tar.write(UnsafeRawBufferPointer(rebasing: buffer[..<count])) } catch {
        throw error.asStorageError
      }
    }
  }
}

extension DiffWriter {
  private func opened(_ entry: borrowing FoundObject) throws(StorageError) -> OwnedDescriptor {
    do throws(Errno) {
      let file = try Syscall.openat(entry.directory, entry.name, [.readOnly, .noFollow, .nonBlocking])
      // Somebody may have put a FIFO or another file there since.
      if try Syscall.fstat(file.rawValue).isSameFile(as: entry.status) { return file }
      throw Errno.staleNFSFileHandle
    } catch {
      throw callFailure("open", entry.path, error)
    }
  }
}

/// An object to be written.
struct FoundObject {
  /// Its open directory.
  let directory: CInt
  /// Its name there.
  let name: UnsafePointer<CChar>
  /// Its path in the tree, relative.
  let path: [UInt8]
  /// Its metadata; of a link itself.
  let status: FileStatus
}

extension FoundObject {
  /// What a walk has met; valid during the visit.
  init(_ entry: borrowing TreeEntry) {
    self.init(directory: entry.directory, name: entry.name, path: entry.path, status: entry.status)
  }
}

extension ArchiveTime {
  /// The same moment.
  init(_ time: FileTime) { self.init(seconds: time.seconds, nanoseconds: time.nanoseconds) }
}
