// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// Puts the entries of one archive into one tree, in order. For one thread.
///
/// Everything goes through descriptors: the directory of an entry is resolved inside the root, the entry itself is made by its
/// last component and never followed. No host path is joined with a name from the archive.
final class LayerExtractor {
  /// Lends the entry's content piece by piece.
  typealias Content = () throws(StorageError) -> TarReader.Part

  let options: ApplyOptions
  let process: ProcessIdentity
  /// Whether each file is flushed as it is closed.
  let syncsFiles: Bool
  let directories: DirectoryCache
  var owners: OwnerMapper
  /// What this archive made, where that matters; nil if everything in the tree is from this archive.
  var made: MadePaths?
  /// The directories that were made without an entry, with the step after which they were; none with plain trees, where what lower
  /// layers have is there.
  private var implied: [ArraySlice<UInt8>: Int] = [:]
  var warnedAboutAttributes = false

  /// Directories with an entry, for their times at the end.
  private var finalTimes: [(path: EntryPath, access: FileTime, modification: FileTime, step: Int)] = []
  /// What was removed again.
  private var removed = RemovedPaths()
  var links = AufsLinks()
  private var rootOverride: [UInt8]?
  /// Sum of the sizes of the headers.
  private(set) var headerBytes: Int64 = 0
  /// Sum of the sizes of what was made; meaningful only while ``removedSomething`` is false.
  var madeBytes: Int64 = 0
  /// True once something was replaced or deleted, or was there before.
  var removedSomething: Bool

  init(root: consuming OwnedDescriptor, options: ApplyOptions, process: ProcessIdentity, syncsFiles: Bool) throws(Errno)
  {
    directories = try DirectoryCache(owning: root)
    var reader = DirectoryReader(borrowing: directories.root.rawValue)
    let isEmpty = try reader.next() == nil
    self.options = options
    self.process = process
    self.syncsFiles = syncsFiles
    owners = OwnerMapper(maps: options.idMaps, override: options.owner)
    made = isEmpty || options.whiteouts == .literal ? nil : MadePaths()
    removedSomething = !isEmpty
  }

  /// Applies one entry.
  func apply(_ header: TarHeader, content: Content) throws(StorageError) {
    let (sum, overflow) = headerBytes.addingReportingOverflow(max(0, header.size))
    headerBytes = overflow ? .max : sum
    // Names of global headers are no paths of the layer (archive-and-diff 14, W11).
    if header.kind == .globalHeader { return }
    let path = try EntryPath(ofEntry: header.name, isWhiteoutPossible: options.whiteouts != .literal)
    if path.isRoot { return try applyRoot(header, path) }
    if options.whiteouts == .plain, try applyAufsMetadata(header, path, content) { return }
    if options.whiteouts != .literal, path.base.starts(with: whiteoutPrefix) {
      return try applyWhiteout(header, path)
    }
    try create(header, at: path, content)
    made?.insert(path.bytes)
  }

  /// Sets what has to wait for the last entry: times of directories, the override attribute of the root.
  func finish() throws(StorageError) {
    for (path, access, modification, step) in finalTimes where !removed.haveRemoved(path.bytes, since: step) {
      do throws(Errno) {
        let parent = try directories.directory(at: path.parent)
        try path.withBase { (name) throws(Errno) in
          // Through a link on the way it may have been replaced unnoticed, by what has times of its own.
          if removedSomething, try !Syscall.fstatat(parent.rawValue, name).isDirectory { return }
          try Syscall.utimensat(parent.rawValue, name, access: access, modification: modification)
        }
      } catch {
        let isGone = [.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels].contains(error)
        if removedSomething, isGone { continue }
        throw .failed("chtimes", path.bytes, error)
      }
    }
    finalTimes = []
    if options.forceMask != nil {
      try setOverride(
        rootOverride ?? Array("0:0:0755:dir".utf8), on: .descriptor(directories.root.rawValue), EntryPath(relative: []))
    }
  }

  private func create(_ header: TarHeader, at path: EntryPath, _ content: Content) throws(StorageError) {
    switch header.kind {
    case .regular: try createFile(header, at: path, content)
    case .directory: try createDirectory(header, at: path)
    case .symbolicLink: try createSymbolicLink(header, at: path)
    case .hardLink:
      if let source = options.whiteouts == .plain ? try links.source(of: header) : nil {
        return try copyAufsLink(source, header, at: path)
      }
      try createHardLink(header, at: path)
    case .fifo, .characterDevice, .blockDevice: try createNode(header, at: path)
    default:
      throw StorageError(.invalidArchive, "unhandled tar header type \(header.kind.rawValue)")
    }
  }

  /// An entry for the root (archive-and-diff 1, 4.2.2).
  private func applyRoot(_ header: TarHeader, _ path: EntryPath) throws(StorageError) {
    let isAbsolute = header.name.first == UInt8(ascii: "/")
    if header.kind == .directory, options.forceMask != nil { rootOverride = overrideValue(header, try owner(header)) }
    // Also where the root's entry is passed over: a layer with such an entry could never be read again.
    guard header.kind == .directory else {
      throw StorageError(.invalidArchive, "\(goQuoted(bytes: header.name)) would replace the root of the layer")
    }
    if options.rootEntry == .ignore && !isAbsolute { return }
    let root = directories.root
    let status: FileStatus
    do throws(Errno) { status = try Syscall.fstat(root.rawValue) } catch { throw .failed("lstat", "/".utf8, error) }
    try setMetadata(of: .descriptor(root.rawValue), header, path, current: status)
    // Unlike other directories it stays open.
    do throws(Errno) { try root.examine() } catch { throw .failed("lstat", "/".utf8, error) }
    rememberTimes(header, path)
  }

  /// The directories that the archive has no entry for, parents first: lower layers may know better what they are.
  var impliedDirectories: [[UInt8]] {
    let there = implied.filter { !removed.haveRemoved($0.key, since: $0.value) }
    return there.keys.sorted { $0.lexicographicallyPrecedes($1) }.map { Array($0) }
  }

  /// Enters a directory that was made without an entry.
  func imply(_ path: EntryPath) {
    if options.whiteouts != .plain { implied[path.bytes] = removed.step }
  }

  /// Names the directory for ``finish()``.
  func rememberTimes(_ header: TarHeader, _ path: EntryPath) {
    implied[path.bytes] = nil
    let access = EntryTimes.clamped(header.accessed) ?? .epoch
    finalTimes.append((path, access, EntryTimes.clamped(header.modified), removed.step))
  }

  /// Forgets directories that were removed again, and those implied, with everything below them.
  func forgetTimes(below path: EntryPath) {
    if !(implied.isEmpty && finalTimes.isEmpty) { removed.remove(path.bytes) }
  }

  // MARK: AUFS metadata

  /// Entries of AUFS' own at the root (archive-and-diff 5.3); true if the entry was one.
  private func applyAufsMetadata(
    _ header: TarHeader, _ path: EntryPath, _ content: Content
  ) throws(StorageError) -> Bool {
    guard path.bytes.starts(with: aufsPrefix), !path.bytes.elementsEqual(opaqueMarker) else { return false }
    if path.bytes.starts(with: aufsLinkDirectory), header.kind == .regular {
      try links.store(header, name: path.base, root: directories.root.rawValue) { (file) throws(StorageError) in
        _ = try write(content, to: file, path.base)
      }
    }
    return true
  }

  private func copyAufsLink(_ source: AufsLinks.Source, _ header: TarHeader, at path: EntryPath) throws(StorageError) {
    var copied = source.header
    copied.name = header.name
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    var offset: Int64 = 0
    try createFile(copied, at: path) { () throws(StorageError) in
      do throws(Errno) {
        let count = try Syscall.pread(source.content, into: buffer, at: offset)
        offset += Int64(count)
        return count == 0 ? .end : .data(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      } catch {
        throw .failed("read", path.bytes, error)
      }
    }
  }
}

/// `.wh.`, which begins the names of whiteouts.
let whiteoutPrefix = Array(".wh.".utf8)
/// `.wh..wh..opq`, which makes its directory opaque.
let opaqueMarker = Array(".wh..wh..opq".utf8)
/// `.wh..wh.`, which begins the names AUFS keeps for itself.
let aufsPrefix = Array(".wh..wh.".utf8)
/// `.wh..wh.plnk`, where AUFS keeps files with several names.
let aufsLinkDirectory = Array(".wh..wh.plnk".utf8)
