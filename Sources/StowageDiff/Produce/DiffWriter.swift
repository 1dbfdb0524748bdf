// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageCompression
internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// What becomes of objects of a tree whose names mark deletions in an archive: those that a program in a container has made.
package enum MarkNames: Hashable, Sendable {
  /// They are written, as marks.
  case kept
  /// They are left out with a warning, directories with all that is in them.
  case omitted
  /// The first one ends the work.
  case refused
}

/// Whether an object's name would be a mark in an archive.
func isMarkName(_ path: [UInt8]) -> Bool {
  EntryPath(relative: path.last == UInt8(ascii: "/") ? path.dropLast() : path[...]).base.starts(with: whiteoutPrefix)
}

/// Writes objects of a tree into an archive, one after the other (archive-and-diff 8.4).
final class DiffWriter {
  private let tar: TarWriter
  private let maps: IDMaps
  private let headers: ObjectHeaders
  private let markNames: MarkNames
  private let keepsHoles: Bool
  private let cancellation: CancellationFlag?
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)

  /// - Parameter keepsHoles: whether files with holes are written as sparse ones.
  init(
    _ sink: any ByteSink, maps: IDMaps, markNames: MarkNames, keepsHoles: Bool = false, cancellation: CancellationFlag?
  ) {
    tar = TarWriter(sink)
    self.keepsHoles = keepsHoles
    self.maps = maps
    self.markNames = markNames
    headers = ObjectHeaders(maps: maps, refusesForeignOwners: true)
    self.cancellation = cancellation
  }

  deinit { buffer.deallocate() }

  /// Whether an object is to be left out because an archive would mean another one's deletion by its name; that is logged.
  ///
  /// - Throws: `notSupported` if such names are refused.
  func omits(_ path: [UInt8]) throws(StorageError) -> Bool {
    guard markNames != .kept, isMarkName(path) else { return false }
    let text = "\(displayPath(path)): in an archive a name that begins with .wh. deletes what lower layers have"
    if markNames == .refused {
      throw StorageError(
        .notSupported, "\(text): rename it, or leave it out", path: String(decoding: path, as: UTF8.self))
    }
    Log.warning("\(text); it is left out")
    return true
  }

  /// Adds an object under its path. Sockets are left out, with a log line.
  ///
  /// - Returns: the header written, nil if it was left out.
  /// - Throws: `invalidMappings` for an owner without a place in the container.
  @discardableResult
  func add(_ entry: borrowing FoundObject) throws(StorageError) -> TarHeader? {
    try cancellation?.check()
    guard let header = try headers.header(of: entry) else { return nil }
    guard header.kind == .regular, header.size > 0 else {
      try begin(header)
      return header
    }
    let file = try entry.opened()
    if keepsHoles, entry.status.blocks < header.size / 512, let layout = try layout(of: file, header.size, entry.path) {
      do throws(ArchiveError) { try tar.begin(header, with: layout) } catch { throw error.asStorageError }
      for part in layout.parts { try writeContent(file, part, entry.path) }
    } else {
      try begin(header)
      try writeContent(file, 0..<header.size, entry.path)
    }
    return header
  }

  /// Adds the whiteout that overlayfs keeps as the device `entry` (archive-and-diff 5.4).
  func addWhiteout(_ entry: borrowing FoundObject) throws(StorageError) {
    try cancellation?.check()
    // Who cannot be named inside must not bring the deleted file back (archive-and-diff 14, W15).
    let owner = maps.toContainer(uid: Int(entry.status.uid), gid: Int(entry.status.gid)) ?? (0, 0)
    var header = TarHeader(
      kind: .regular, name: whiteoutName(entry.path), uid: Int64(owner.uid), gid: Int64(owner.gid),
      modified: ArchiveTime(entry.status.modificationTime))
    // The kernel makes whiteouts as names of one inode; the reference leaves the first deleted name in the headers of the
    // others, where no reader looks. Kept so that equal layers give equal bytes (archive-and-diff 14, W14).
    if entry.status.linkCount > 1, let first = headers.firstName(of: entry.status, orElse: entry.path) {
      header.linkName = first
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

  private func whiteoutName(_ path: [UInt8]) -> [UInt8] {
    let offset = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    return Array(path[..<offset]) + whiteoutPrefix + Array(path[offset...])
  }

  // MARK: Bytes

  private func begin(_ header: TarHeader) throws(StorageError) {
    do throws(ArchiveError) { try tar.begin(header) } catch { throw error.asStorageError }
  }

  /// Where a file has data; nil if that is everywhere, or in too many places to say.
  private func layout(of file: borrowing OwnedDescriptor, _ size: Int64, _ path: [UInt8]) throws(StorageError)
    -> SparseLayout?
  {
    var layout = SparseLayout(size: size)
    var position: Int64 = 0
    do throws(Errno) {
      while position < size, let data = try Syscall.seek(file.rawValue, next: .data, from: position), data < size {
        let end = min(size, try Syscall.seek(file.rawValue, next: .hole, from: data) ?? size)
        // What changes meanwhile must not turn us round for ever.
        guard end > data, layout.parts.count < SparseLayout.mostParts else { return nil }
        layout.append(data..<end)
        position = end
      }
    } catch {
      // Not every file system tells.
      if error == .invalidArgument || error == .notSupported { return nil }
      throw .failed("lseek", path, error)
    }
    return layout.parts == [0..<size] ? nil : layout
  }

  /// Copies a part of a file. One that has become shorter makes the diff fail: padding it would record content that never
  /// was (archive-and-diff 14, W17). What was appended meanwhile is left out.
  private func writeContent(
    _ file: borrowing OwnedDescriptor, _ part: Range<Int64>, _ path: [UInt8]
  ) throws(StorageError) {
    var position = part.lowerBound
    while position < part.upperBound {
      try cancellation?.check()
      let room = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<Int(min(Int64(buffer.count), part.upperBound - position))])
      let count: Int
      do throws(Errno) { count = try Syscall.pread(file.rawValue, into: room, at: position) } catch {
        throw .failed("read", path, error)
      }
      guard count > 0 else {
        throw StorageError(.invalidArchive, "\(displayPath(path)) became shorter while it was read")
      }
      do throws(ArchiveError) { try tar.write(UnsafeRawBufferPointer(rebasing: room[..<count])) } catch {
        throw error.asStorageError
      }
      position += Int64(count)
    }
  }
}
