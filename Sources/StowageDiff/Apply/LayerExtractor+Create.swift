// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

extension LayerExtractor {
  /// Makes a regular file, or with a force mask the stand-in for anything that is none.
  func createFile(_ header: TarHeader, at path: EntryPath, _ content: Content) throws(StorageError) {
    let parent = try directory(of: path)
    let mode = options.forceMask.map(UInt32.init) ?? UInt32(truncatingIfNeeded: header.mode & 0o7777)
    let file = OwnedDescriptor(
      owning: try making("open", path, parent) { (name) throws(Errno) in
        try Syscall.openat(parent.rawValue, name, [.writeOnly, .create, .exclusive, .noFollow], mode: mode).release()
      })
    madeBytes &+= try write(content, to: file.rawValue, path.bytes)
    try setMetadata(of: .descriptor(file.rawValue), header, path, fresh: parent, mode: mode)
    do throws(Errno) {
      if syncsFiles { try Syscall.fsync(file.rawValue, .layer) }
      try file.close()
    } catch {
      throw .failed("close", path.bytes, error)
    }
  }

  /// Writes content to an empty file; holes stay holes, so that a small archive cannot fill a disk with them.
  ///
  /// - Returns: the file's size.
  func write(_ content: Content, to file: CInt, _ name: some Collection<UInt8>) throws(StorageError) -> Int64 {
    var size: Int64 = 0
    var endsInHole = false
    while true {
      let part = try content()
      do throws(Errno) {
        switch part {
        case .data(let bytes):
          try Syscall.write(file, all: bytes)
          size &+= Int64(bytes.count)
          endsInHole = false
        case .hole(let count):
          size &+= count
          try Syscall.seek(file, to: size)
          endsInHole = true
        case .end:
          if endsInHole { try Syscall.ftruncate(file, size: size) }
          return size
        }
      } catch {
        throw .failed("write", name, error)
      }
    }
  }

  /// Makes a directory, or takes over one that exists.
  func createDirectory(_ header: TarHeader, at path: EntryPath) throws(StorageError) {
    let parent = try directory(of: path)
    let mode = options.forceMask.map(UInt32.init) ?? UInt32(truncatingIfNeeded: header.mode & 0o7777)
    var existing: FileStatus?
    var isOpaque = false
    do throws(Errno) {
      try path.withBase { (name) throws(Errno) in try Syscall.mkdirat(parent.rawValue, name, mode: mode) }
    } catch .fileExists {
      let status = try status(of: path, in: parent)
      if status.isDirectory {
        existing = status
        // Its mode may become one that changes how things are made in it.
        directories.invalidate()
      } else {
        isOpaque = isWhiteoutDevice(status)
        try displace(path, status, in: parent, byDirectory: true)
        try calling("mkdir", path) { (name) throws(Errno) in try Syscall.mkdirat(parent.rawValue, name, mode: mode) }
      }
    } catch {
      throw .failed("mkdir", path.bytes, error)
    }
    try path.withBase { (name) throws(StorageError) in
      let target = MetadataTarget.name(parent.rawValue, name)
      if let existing {
        try setMetadata(of: target, header, path, current: existing)
      } else {
        try setMetadata(of: target, header, path, fresh: parent, mode: mode)
      }
      if isOpaque { try markOpaque(target, path) }
    }
    rememberTimes(header, path)
  }

  /// Makes a symbolic link with the text of the archive, wherever it leads.
  func createSymbolicLink(_ header: TarHeader, at path: EntryPath) throws(StorageError) {
    try checkText(of: header)
    let parent = try directory(of: path)
    try withCString(copying: header.linkName) { (text) throws(StorageError) in
      try making("symlink \(String(decoding: header.linkName, as: UTF8.self))", path, parent) { (name) throws(Errno) in
        try Syscall.symlinkat(target: text, parent.rawValue, name)
      }
    }
    madeBytes &+= Int64(header.linkName.count)
    try path.withBase { (name) throws(StorageError) in
      try setMetadata(of: .link(parent.rawValue, name), header, path, fresh: parent, mode: 0o777)
    }
  }

  /// Refuses a symbolic link whose text the kernel would not take, before it gets into a message.
  private func checkText(of header: TarHeader) throws(StorageError) {
    if header.linkName.isEmpty {
      throw StorageError(.invalidArchive, "a symbolic link without a target in the archive")
    }
    guard header.linkName.contains(0) || header.linkName.count > EntryPath.longestPath else { return }
    throw StorageError(
      .invalidArchive, "target of a symbolic link of \(header.linkName.count) bytes: file name too long",
      cause: Errno.fileNameTooLong)
  }

  /// Makes a FIFO or a device.
  func createNode(_ header: TarHeader, at path: EntryPath) throws(StorageError) {
    let isDevice = header.kind != .fifo
    if isDevice && options.inUserNamespace {
      Log.debug("Can't create device \(displayPath(path.bytes)) while running in userns")
      return
    }
    if options.forceMask != nil {
      return try createFile(header, at: path) { () in .end }
    }
    let parent = try directory(of: path)
    let type: UInt32 = header.kind == .fifo ? 0o010000 : header.kind == .characterDevice ? 0o020000 : 0o060000
    let mode = UInt32(truncatingIfNeeded: header.mode & 0o7777)
    let device =
      isDevice
      ? makeDevice(
        major: UInt32(truncatingIfNeeded: header.deviceMajor & 0xfff),
        minor: UInt32(truncatingIfNeeded: header.deviceMinor & 0xfffff)) : 0
    try making("mknod", path, parent) { (name) throws(Errno) in
      try Syscall.mknodat(parent.rawValue, name, mode: type | mode, device: device)
    }
    try path.withBase { (name) throws(StorageError) in
      try setMetadata(of: .name(parent.rawValue, name), header, path, fresh: parent, mode: mode)
    }
  }

  /// Makes a further name of a file. The entry's owner, mode, times and attributes apply to the shared file.
  func createHardLink(_ header: TarHeader, at path: EntryPath) throws(StorageError) {
    let target = try EntryPath(ofEntry: header.linkName, role: "link target")
    let parent = try directory(of: path)
    let targetParent: OpenDirectory
    do throws(Errno) { targetParent = try directories.directory(at: target.parent) } catch { throw .ofLink(error) }
    try target.withBase { (targetName) throws(StorageError) in
      try making(nil, path, parent) { (name) throws(Errno) in
        try Syscall.linkat(targetParent.rawValue, targetName, parent.rawValue, name)
      }
    }
    let status = try status(of: path, in: parent)
    try path.withBase { (name) throws(StorageError) in
      let shared: MetadataTarget =
        status.kind == .symbolicLink ? .link(parent.rawValue, name) : .name(parent.rawValue, name)
      try setMetadata(of: shared, header, path, current: status)
    }
  }

  // MARK: Making

  /// Runs the call that makes `path`; if something is there, removes it and tries again. Without a name of the call it is that
  /// of a hard link.
  private func making<R>(
    _ call: String?, _ path: EntryPath, _ parent: OpenDirectory,
    _ body: (UnsafePointer<CChar>) throws(Errno) -> R
  ) throws(StorageError) -> R {
    do throws(Errno) {
      return try path.withBase(body)
    } catch .fileExists {
      try displace(path, try status(of: path, in: parent), in: parent, byDirectory: false)
    } catch {
      throw call.map { .failed($0, path.bytes, error) } ?? .ofLink(error)
    }
    do throws(Errno) { return try path.withBase(body) } catch {
      throw call.map { .failed($0, path.bytes, error) } ?? .ofLink(error)
    }
  }

  /// Runs a call on the last component of `path`.
  func calling(
    _ call: @autoclosure () -> String, _ path: EntryPath, _ body: (UnsafePointer<CChar>) throws(Errno) -> Void
  ) throws(StorageError) {
    do throws(Errno) { try path.withBase(body) } catch { throw .failed(call(), path.bytes, error) }
  }

  /// The metadata of what is at `path`, links not followed.
  func status(of path: EntryPath, in parent: OpenDirectory) throws(StorageError) -> FileStatus {
    do throws(Errno) {
      return try path.withBase { (name) throws(Errno) in try Syscall.fstatat(parent.rawValue, name) }
    } catch {
      throw .failed("lstat", path.bytes, error)
    }
  }

  /// Removes what is in the way of a new object (archive-and-diff 4.2.2).
  func displace(
    _ path: EntryPath, _ status: FileStatus, in parent: OpenDirectory, byDirectory: Bool
  ) throws(StorageError) {
    if options.replacement == .sameKindOnly && status.isDirectory != byDirectory {
      let (old, new) = status.isDirectory ? ("directory", "non-directory") : ("non-directory", "directory")
      throw StorageError(
        .system, "cannot overwrite \(old) \"\(displayPath(path.bytes))\" with \(new) \"/\"")
    }
    try remove(path, status, in: parent)
  }

  /// Removes an object with everything below it.
  func remove(_ path: EntryPath, _ status: FileStatus, in parent: OpenDirectory) throws(StorageError) {
    removedSomething = true
    try calling("unlinkat", path) { (name) throws(Errno) in try removeObject(parent.rawValue, name) }
    guard status.isDirectory || status.kind == .symbolicLink else { return }
    directories.invalidate()
    if status.isDirectory {
      forgetTimes(below: path)
      made?.remove(below: path.bytes)
    }
  }
}

extension StorageError {
  /// A hard link that cannot be made: the reference names neither the link nor its target (archive-and-diff 4.3).
  fileprivate static func ofLink(_ error: Errno) -> StorageError {
    StorageError(.system, error.referenceText, cause: error)
  }
}
