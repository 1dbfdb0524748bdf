// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// A path in a tree, resolved with the tree's root as root whatever symbolic links and `..` say.
package struct TreePlace: Sendable {
  /// The root on the host: a mounted layer, or `/`.
  package let root: FilePath
  /// The path below the root.
  let path: EntryPath
  /// From IDs inside to those on the host; empty for none.
  package let maps: IDMaps
  /// The path that messages show. It must not be opened: a link in it may lead elsewhere.
  package let shown: FilePath

  /// Names a place; the path is cleaned lexically and may be absolute.
  ///
  /// - Parameter shown: how messages name the place; nil for root and path joined.
  /// - Throws: `system` for a path with a NUL byte.
  package init(
    root: FilePath, path: String, maps: IDMaps = IDMaps(), shown: FilePath? = nil
  ) throws(StorageError) {
    guard let cleaned = EntryPath(cleaning: Array(path.utf8)) else {
      throw StorageError(.system, "stat \(path): invalid argument", path: path)
    }
    self.root = root
    self.path = cleaned
    self.maps = maps
    self.shown = shown ?? root.appending(String(decoding: cleaned.bytes, as: UTF8.self))
  }

  /// Opens the object, a link at the end followed inside the root.
  ///
  /// - Parameter call: what an error says has failed.
  func open(
    in tree: borrowing LayerRoot, _ flags: OpenFlags, as call: String = "open"
  ) throws(StorageError) -> OwnedDescriptor {
    do throws(Errno) {
      return try tree.open(path.isRoot ? [UInt8(ascii: ".")] : Array(path.bytes), flags)
    } catch {
      throw .failed(call, shown, error)
    }
  }
}

/// Copies a file, or the content of a directory, into another tree as the reference's command `copy` does
/// (archive-and-diff 12.1).
///
/// A directory source is merged into the target directory, which is made if it is missing, with mode 0755; the source's own
/// owner, mode and times are not taken. A file replaces what has the target's name, unless that is a directory; missing
/// directories above it are made with mode 0700. Of a directory's content, a file also replaces a directory of its name, with
/// all that is in it. Owners are translated from the source's maps to the target's. Extended
/// attributes of a single file are not copied, those of a directory's content are; so are hard links within it. A device or
/// FIFO as source is made anew and not opened.
///
/// After a failure the target has part of the copy, and a file that was being replaced may be missing.
///
/// - Parameters:
///   - owner: everything new gets these IDs, as seen in the target's maps, instead of those of the source.
///   - inUserNamespace: devices are left out and refused attributes are ignored.
///   - cancellation: is looked at between the pieces of the work.
/// - Throws: `system`, also for a socket; `invalidMappings`, `cancelled`.
package func copyObject(
  from source: TreePlace, to target: TreePlace, owner: ApplyOptions.Owner?, inUserNamespace: Bool,
  cancellation: CancellationFlag?
) throws(StorageError) {
  let copier = ObjectCopier(
    target,
    ApplyOptions(
      idMaps: target.maps, whiteouts: .literal, inUserNamespace: inUserNamespace, rootEntry: .ignore, owner: owner),
    cancellation)
  if source.shown.isEmpty { throw .failed("stat", source.shown, .noSuchFileOrDirectory) }
  if target.shown.isEmpty { throw .failed("mkdir", target.shown, .noSuchFileOrDirectory) }
  let tree = try LayerRoot(source.root)
  let found = try source.open(in: tree, .path, as: "stat")
  let status = try attempt("stat", source.shown) { () throws(Errno) in try Syscall.fstat(found.rawValue) }
  switch status.kind {
  case .directory:
    let directory = try source.open(in: tree, [.readOnly, .directory])
    try copier.copyContent(of: directory.rawValue, source)
  case .regular:
    let file = try source.open(in: tree, [.readOnly, .nonBlocking])
    let opened = try attempt("stat", source.shown) { () throws(Errno) in try Syscall.fstat(file.rawValue) }
    if !opened.isSameFile(as: status) { throw .failed("open", source.shown, .staleNFSFileHandle) }
    try copier.copyFile(.regular, file.rawValue, status, source)
  // Never opened: that may wait, or do something to the device.
  case .characterDevice: try copier.copyFile(.characterDevice, nil, status, source)
  case .blockDevice: try copier.copyFile(.blockDevice, nil, status, source)
  case .fifo: try copier.copyFile(.fifo, nil, status, source)
  default: throw .failed("open", source.shown, .noSuchAddressOrDevice)
  }
}

/// One copy in progress: what a tree would bring in an archive, without the archive.
private final class ObjectCopier {
  private let target: TreePlace
  private let options: ApplyOptions
  private let cancellation: CancellationFlag?
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)

  init(_ target: TreePlace, _ options: ApplyOptions, _ cancellation: CancellationFlag?) {
    self.target = target
    self.options = options
    self.cancellation = cancellation
  }

  deinit { buffer.deallocate() }

  func copyContent(of directory: CInt, _ source: TreePlace) throws(StorageError) {
    let destination = try makeDirectories(target.path.bytes, mode: 0o755)
    let itself = try attempt("stat", target.shown) { () throws(Errno) in
      FileIdentity(try Syscall.fstat(destination.rawValue))
    }
    let extractor = try extractor(into: destination, options)
    let headers = ObjectHeaders(maps: source.maps)
    try walkTree(directory) { (entry) throws(StorageError) in
      try self.cancellation?.check()
      // A copy into a part of its source does not contain itself.
      if entry.status.isDirectory, FileIdentity(entry.status) == itself { return .skip }
      let object = FoundObject(entry)
      guard let header = try headers.header(of: object) else { return .enter }
      if header.kind == .regular {
        // Opened before anything is replaced: source and target may be the same file.
        let file = try object.opened()
        try self.extract(header, extractor, file.rawValue)
      } else {
        try self.extract(header, extractor, nil)
      }
      return .enter
    }
    try unpacking { () throws(StorageError) in try extractor.finish() }
  }

  /// Copies what is not a directory.
  ///
  /// - Parameter file: open for reading; nil for what has no bytes of its own.
  func copyFile(
    _ kind: TarHeader.Kind, _ file: CInt?, _ status: FileStatus, _ source: TreePlace
  ) throws(StorageError) {
    if target.path.isRoot {
      let name = target.root.lastComponent?.string ?? ""
      throw ObjectCopier.unpackingFailed(
        StorageError(.system, "cannot overwrite directory \"/\(name)\" with non-directory \"/\""))
    }
    var header = TarHeader(
      kind: kind, name: Array(target.path.base), mode: Int64(status.permissions), size: file == nil ? 0 : status.size,
      modified: ArchiveTime(status.modificationTime))
    header.accessed = ArchiveTime(status.accessTime)
    if file == nil, kind != .fifo {
      (header.deviceMajor, header.deviceMinor) = (Int64(status.deviceMajor), Int64(status.deviceMinor))
    }
    do throws(IDMapError) {
      let owner = try source.maps.containerIDs(uid: Int(status.uid), gid: Int(status.gid))
      (header.uid, header.gid) = (Int64(owner.uid), Int64(owner.gid))
    } catch {
      throw StorageError(.invalidMappings, error.description, cause: error)
    }
    var options = options
    options.replacement = .sameKindOnly
    let extractor = try extractor(into: makeDirectories(target.path.parent, mode: 0o700), options)
    try extract(header, extractor, file)
    try unpacking { () throws(StorageError) in try extractor.finish() }
  }

  // MARK: Target

  /// Opens a directory of the target's tree; missing ones are made for the owner of what is copied.
  private func makeDirectories(_ path: ArraySlice<UInt8>, mode: UInt32) throws(StorageError) -> OwnedDescriptor {
    let owner = try newDirectoryOwner()
    let tree = try LayerRoot(target.root)
    do throws(Errno) {
      return try tree.makeDirectories(Array(path), mode: mode) { (made) throws(Errno) in
        if let owner { try Syscall.fchown(made, uid: owner.uid, gid: owner.gid) }
        // The umask has no say.
        try Syscall.fchmod(made, mode: mode)
      }
    } catch {
      throw .failed("mkdir", error == .notDirectory ? shownObstacle(tree) : target.shown, error)
    }
  }

  /// The first part of the target's path that is there and no directory, as messages show it.
  private func shownObstacle(_ tree: borrowing LayerRoot) -> FilePath {
    let names = target.path.bytes.split(separator: UInt8(ascii: "/"))
    let depth = names.indices.first { index in
      (try? tree.open(Array(names[...index].joined(separator: [UInt8(ascii: "/")])), [.path, .directory])) == nil
    }
    var shown = target.shown
    for _ in 0..<(names.count - 1 - (depth ?? names.count - 1)) { shown.removeLastComponent() }
    return shown
  }

  /// Nil for the process' own IDs.
  private func newDirectoryOwner() throws(StorageError) -> ApplyOptions.Owner? {
    var owners = OwnerMapper(maps: options.idMaps, override: options.owner)
    if options.owner != nil { return try owners.map(uid: 0, gid: 0) }
    return options.idMaps.isEmpty ? nil : try owners.root()
  }

  private func extractor(
    into directory: consuming OwnedDescriptor, _ options: ApplyOptions
  ) throws(StorageError) -> LayerExtractor {
    do throws(Errno) {
      return try LayerExtractor(root: directory, options: options, process: .current(), syncsFiles: false)
    } catch {
      throw .failed("open", target.shown, error)
    }
  }

  // MARK: Work

  private func extract(_ header: TarHeader, _ extractor: LayerExtractor, _ file: CInt?) throws(StorageError) {
    try unpacking { () throws(StorageError) in
      try extractor.apply(header) { () throws(StorageError) in
        try self.cancellation?.check()
        guard let file else { return .end }
        do throws(Errno) {
          let count = try Syscall.read(file, into: self.buffer)
          return count == 0 ? .end : .data(UnsafeRawBufferPointer(rebasing: self.buffer[..<count]))
        } catch {
          throw .failed("read", header.name, error)
        }
      }
    }
  }

  /// The reference copies through an archive, and so do its words.
  private func unpacking(_ body: () throws(StorageError) -> Void) throws(StorageError) {
    do throws(StorageError) { try body() } catch {
      throw error.code == .cancelled ? error : ObjectCopier.unpackingFailed(error)
    }
  }

  private static func unpackingFailed(_ error: StorageError) -> StorageError {
    StorageError(
      error.code, "unpacking failed (error: exit status 1; output: \(error.message))", plain: error.plainMessage,
      path: error.path, cause: error)
  }
}
