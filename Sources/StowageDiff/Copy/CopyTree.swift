// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// How a tree is copied.
package struct CopyOptions: Sendable {
  /// Devices are left out and refused attributes are ignored (archive-and-diff 4.8). A whiteout is no device, whatever it looks like:
  /// who left it out would bring back what the layer deletes, and everybody may make one.
  package var inUserNamespace: Bool
  /// The copy's owners; nil for those of the source. The destination itself gets the owner of the container's root.
  package var shift: OwnerShift?
  /// Each file and directory is flushed to the device.
  package var syncsFiles: Bool
  /// Stops the work between two entries.
  package var cancellation: CancellationFlag?

  /// Makes options.
  package init(
    inUserNamespace: Bool = false, shift: OwnerShift? = nil, syncsFiles: Bool = false,
    cancellation: CancellationFlag? = nil
  ) {
    self.inUserNamespace = inUserNamespace
    self.shift = shift
    self.syncsFiles = syncsFiles
    self.cancellation = cancellation
  }
}

/// Copies the content of one directory into another, empty one, with all metadata, the directory's own included.
///
/// File data is shared where the file system can, else copied in the kernel, else read and written; holes stay holes. Hard
/// links within the tree stay hard links. All attributes the process may set are kept. Times of directories are set last, the
/// deepest first. Links are never followed. After a failure the destination has part of the tree.
///
/// - Throws: `system` with the path inside the tree; `cancelled`.
/// - SeeAlso: graph-drivers 21.
package func copyTree(
  from source: FilePath, to destination: FilePath, options: CopyOptions = CopyOptions()
) throws(StorageError) {
  let from = try attempt("open", source) { () throws(Errno) in try Syscall.open(source, [.readOnly, .directory]) }
  let to = try attempt("open", destination) { () throws(Errno) in
    try Syscall.open(destination, [.readOnly, .directory])
  }
  let status = try attempt("stat", source) { () throws(Errno) in try Syscall.fstat(from.rawValue) }
  let copier: TreeCopier
  do throws(Errno) { copier = try TreeCopier(options, root: to) } catch {
    throw .failed("stat", destination, error)
  }
  try walkTree(from.rawValue) { (entry) throws(StorageError) in
    try copier.copy(entry)
  } leave: { (entry) throws(StorageError) in
    try copier.leave(entry)
  }
  try copier.finish(from: from.rawValue, status)
}

/// One copy in progress.
private final class TreeCopier {
  private let options: CopyOptions
  private let process = ProcessIdentity.current()
  private let data = FileDataCopier()
  /// The destination's directories from below the root down to the present one.
  private var levels: [OwnedRoot] = []
  /// First place of each file with several names.
  private var firstPlaces: [FileIdentity: EntryPath] = [:]
  /// The destination, for finding those places again.
  private let tree: DirectoryCache

  init(_ options: CopyOptions, root: consuming OwnedDescriptor) throws(Errno) {
    self.options = options
    tree = try DirectoryCache(owning: root)
  }

  private var destinationRoot: CInt { tree.root.rawValue }
  private var parent: CInt { levels.last?.rawValue ?? destinationRoot }

  func copy(_ entry: borrowing TreeEntry) throws(StorageError) -> WalkDecision {
    try options.cancellation?.check()
    let status = entry.status
    switch status.kind {
    case .directory:
      try copyDirectory(entry)
      return .enter
    case .regular: try copyFile(entry)
    case .symbolicLink:
      if try !linkToFirst(entry) { try copySymbolicLink(entry) }
    case .fifo, .socket: if try !linkToFirst(entry) { try copyNode(entry) }
    case .characterDevice, .blockDevice:
      if options.inUserNamespace, !isWhiteoutDevice(status) { return .skip }
      if try !linkToFirst(entry) { try copyNode(entry) }
    case .unknown:
      throw StorageError(
        .system, "unknown file type with mode \(status.mode) for \(displayPath(entry.path))")
    }
    return .skip
  }

  /// A directory's content is complete: its times no longer change.
  func leave(_ entry: borrowing TreeEntry) throws(StorageError) {
    guard let directory = levels.popLast() else { return }
    let status = entry.status
    try calling("utimensat", entry.path) { () throws(Errno) in
      try Syscall.futimens(
        directory.rawValue, access: status.accessTime, modification: status.modificationTime)
      if options.syncsFiles { try Syscall.fsync(directory.rawValue, .layer) }
    }
  }

  /// Gives the destination the metadata of the source itself.
  func finish(from source: CInt, _ status: FileStatus) throws(StorageError) {
    let target = MetadataTarget.descriptor(destinationRoot)
    let names: [[UInt8]]
    do throws(Errno) { names = try ExtendedAttributes.names(source) } catch {
      throw .failed("flistxattr", "/".utf8, error)
    }
    let owner = options.shift?.root ?? ApplyOptions.Owner(uid: status.uid, gid: status.gid)
    do throws(Errno) { try target.setOwner(owner) } catch { throw ownerFailure(owner, "/".utf8, error) }
    for name in names {
      try setAttribute(name, of: target, "/".utf8) { (attribute) throws(Errno) in
        try ExtendedAttributes.value(source, attribute)
      }
    }
    try calling("chmod", "/".utf8) { () throws(Errno) in
      try target.setMode(status.permissions)
      try target.setTimes(access: status.accessTime, modification: status.modificationTime)
      if options.syncsFiles { try Syscall.fsync(destinationRoot, .layer) }
    }
  }

  // MARK: Kinds

  private func copyDirectory(_ entry: borrowing TreeEntry) throws(StorageError) {
    let (name, mode) = (entry.name, entry.status.permissions)
    do throws(Errno) { try Syscall.mkdirat(parent, name, mode: mode) } catch {
      guard error == .fileExists else { throw .failed("mkdir", entry.path, error) }
    }
    let parent = parent
    let child: CInt
    do throws(Errno) {
      child = try Syscall.openat(parent, name, [.readOnly, .directory, .noFollow]).release()
    } catch {
      throw .failed("open", entry.path, error)
    }
    levels.append(OwnedRoot(OwnedDescriptor(owning: child)))
    try setMetadata(entry, on: .descriptor(child), timesLater: true)
  }

  private func copyFile(_ entry: borrowing TreeEntry) throws(StorageError) {
    if try linkToFirst(entry) { return }
    let (directory, name, status) = (entry.directory, entry.name, entry.status)
    let source: OwnedDescriptor
    let copy: OwnedDescriptor
    do throws(Errno) {
      source = try Syscall.openat(directory, name, [.readOnly, .noFollow, .nonBlocking])
    } catch {
      throw .failed("open", entry.path, error)
    }
    do throws(Errno) {
      copy = try Syscall.openat(
        parent, name, [.writeOnly, .create, .exclusive, .noFollow], mode: status.permissions)
    } catch {
      throw .failed("open", entry.path, error)
    }
    do throws(Errno) { try data.copy(source.rawValue, to: copy.rawValue, size: status.size) } catch {
      throw .failed("write", entry.path, error)
    }
    try setMetadata(entry, on: .descriptor(copy.rawValue))
    do throws(Errno) {
      if options.syncsFiles { try Syscall.fsync(copy.rawValue, .layer) }
      try copy.close()
    } catch {
      throw .failed("close", entry.path, error)
    }
  }

  private func copySymbolicLink(_ entry: borrowing TreeEntry) throws(StorageError) {
    let (directory, name, parent) = (entry.directory, entry.name, parent)
    try calling("symlink", entry.path) { () throws(Errno) in
      let text = try Syscall.readlinkat(directory, name)
      try withCString(copying: text) { (text) throws(Errno) in try Syscall.symlinkat(target: text, parent, name) }
    }
    try setMetadata(entry, on: .link(parent, name))
  }

  private func copyNode(_ entry: borrowing TreeEntry) throws(StorageError) {
    let (name, status, parent) = (entry.name, entry.status, parent)
    try calling("mknod", entry.path) { () throws(Errno) in
      try Syscall.mknodat(parent, name, mode: status.mode, device: status.rdev)
    }
    try setMetadata(entry, on: .name(parent, name))
  }

  /// Makes a further name of a file that was copied already; false if this is its first.
  private func linkToFirst(_ entry: borrowing TreeEntry) throws(StorageError) -> Bool {
    guard entry.status.linkCount > 1 else { return false }
    let identity = FileIdentity(entry.status)
    guard let first = firstPlaces[identity] else {
      firstPlaces[identity] = EntryPath(relative: entry.path)
      return false
    }
    let (name, parent) = (entry.name, parent)
    try calling("link", entry.path) { () throws(Errno) in
      let directory = try tree.directory(at: first.parent)
      try first.withBase { (firstName) throws(Errno) in
        try Syscall.linkat(directory.rawValue, firstName, parent, name)
      }
    }
    return true
  }

  // MARK: Metadata

  /// Owner, attributes, mode, times, in this order: a change of owner clears capabilities and set-ID bits.
  private func setMetadata(
    _ entry: borrowing TreeEntry, on target: MetadataTarget, timesLater: Bool = false
  ) throws(StorageError) {
    let status = entry.status
    let owner: ApplyOptions.Owner
    if let shift = options.shift {
      owner = try shift.owner(of: status, entry.path)
    } else {
      owner = ApplyOptions.Owner(uid: status.uid, gid: status.gid)
    }
    do throws(Errno) { try target.setOwner(owner) } catch { throw ownerFailure(owner, entry.path, error) }
    let (directory, name) = (entry.directory, entry.name)
    let names: [[UInt8]]
    do throws(Errno) { names = try ExtendedAttributes.names(directory, name) } catch {
      throw .failed("llistxattr", entry.path, error)
    }
    for attribute in names {
      try setAttribute(attribute, of: target, entry.path) { (attribute) throws(Errno) in
        try ExtendedAttributes.value(directory, name, attribute)
      }
    }
    do throws(Errno) {
      try target.setMode(status.permissions)
      if !timesLater { try target.setTimes(access: status.accessTime, modification: status.modificationTime) }
    } catch {
      throw .failed("chmod", entry.path, error)
    }
  }

  /// Copies an attribute. Those the file system cannot hold are left out, and of those that belong to the host (labels, signatures)
  /// also what the process may not set; what belongs to the tree only in a user namespace.
  private func setAttribute(
    _ name: [UInt8], of target: MetadataTarget, _ path: some Collection<UInt8>,
    _ read: (UnsafePointer<CChar>) throws(Errno) -> [UInt8]?
  ) throws(StorageError) {
    if name.elementsEqual("security.selinux".utf8) { return }
    let value: [UInt8]?
    do throws(Errno) { value = try withCString(copying: name, read) } catch { throw .failed("lgetxattr", path, error) }
    guard let value = value.flatMap({ stored($0, of: name) }) else { return }
    do throws(Errno) { try target.setAttribute(name, value) } catch {
      let isOfTree = name.starts(with: "user.".utf8) || name.elementsEqual("security.capability".utf8)
      let isRefused = error == .notPermitted || error == .permissionDenied
      let isIgnored = error == .notSupported || (isRefused && (options.inUserNamespace || !isOfTree))
      if !isIgnored { throw .failed("lsetxattr", path, error) }
    }
  }

  /// The value of an attribute under other owners; `nil` for a capability that counts for nobody there.
  private func stored(_ value: [UInt8], of name: [UInt8]) -> [UInt8]? {
    guard let shift = options.shift, name == FileCapability.name else { return value }
    return FileCapability.inside(value, shift.from).flatMap { FileCapability.stored($0, shift.to) }
  }

  private func calling(
    _ call: String, _ path: some Collection<UInt8>, _ body: () throws(Errno) -> Void
  ) throws(StorageError) {
    do throws(Errno) { try body() } catch { throw .failed(call, path, error) }
  }
}
