// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The object metadata is set on.
enum MetadataTarget {
  /// An open file or directory.
  case descriptor(CInt)
  /// A name in an open directory that is no symbolic link.
  case name(CInt, UnsafePointer<CChar>)
  /// A symbolic link itself.
  case link(CInt, UnsafePointer<CChar>)

  /// True for a symbolic link, which has no mode.
  var isLink: Bool {
    if case .link = self { return true }
    return false
  }

  /// Sets owner and group.
  func setOwner(_ owner: ApplyOptions.Owner) throws(Errno) {
    switch self {
    case .descriptor(let descriptor): try Syscall.fchown(descriptor, uid: owner.uid, gid: owner.gid)
    case .name(let parent, let name), .link(let parent, let name):
      try Syscall.fchownat(parent, name, uid: owner.uid, gid: owner.gid)
    }
  }

  /// Sets the permission bits; nothing for links.
  func setMode(_ mode: UInt32) throws(Errno) {
    switch self {
    case .descriptor(let descriptor): try Syscall.fchmod(descriptor, mode: mode)
    case .name(let parent, let name): try Syscall.fchmodat(parent, name, mode: mode)
    case .link: break
    }
  }

  /// Sets both times.
  func setTimes(access: FileTime, modification: FileTime) throws(Errno) {
    switch self {
    case .descriptor(let descriptor): try Syscall.futimens(descriptor, access: access, modification: modification)
    case .name(let parent, let name), .link(let parent, let name):
      try Syscall.utimensat(parent, name, access: access, modification: modification)
    }
  }

  /// Sets an extended attribute.
  func setAttribute(_ name: [UInt8], _ value: [UInt8]) throws(Errno) {
    try withCString(copying: name) { (attribute) throws(Errno) in
      try value.withUnsafeBufferPointer { (bytes) throws(Errno) in
        let raw = UnsafeRawBufferPointer(bytes)
        switch self {
        case .descriptor(let descriptor): try Syscall.fsetxattr(descriptor, attribute, raw)
        case .name(let parent, let name), .link(let parent, let name):
          try Syscall.setxattrat(parent, name, attribute, raw)
        }
      }
    }
  }
}

extension LayerExtractor {
  /// Sets everything on an object that was just made in `parent` with the given mode.
  func setMetadata(
    of target: MetadataTarget, _ header: TarHeader, _ path: EntryPath, fresh parent: OpenDirectory, mode: UInt32
  ) throws(StorageError) {
    try setMetadata(of: target, header, path, identity: process.creationStatus(in: parent, mode: mode), current: nil)
  }

  /// Sets everything on an object that was there before.
  func setMetadata(
    of target: MetadataTarget, _ header: TarHeader, _ path: EntryPath, current: FileStatus
  ) throws(StorageError) {
    let identity = ObjectIdentity(uid: current.uid, gid: current.gid, mode: current.permissions)
    try setMetadata(of: target, header, path, identity: identity, current: current)
  }

  /// Owner, mode, times, attributes, in this order (archive-and-diff 4.3); calls that would change nothing are left out.
  private func setMetadata(
    of target: MetadataTarget, _ header: TarHeader, _ path: EntryPath, identity: ObjectIdentity?, current: FileStatus?
  ) throws(StorageError) {
    let owner = try owner(header)
    var chowned = false
    if options.forceMask == nil {
      chowned = try setOwner(of: target, owner, path, ifDifferentFrom: identity)
    }
    if !target.isLink {
      // A hard link entry is not created with the mask; its mode is that of the file.
      let mode = options.forceMask.map(UInt32.init) ?? UInt32(truncatingIfNeeded: header.mode & 0o7777)
      if identity?.mode != mode || (chowned && mode & 0o6000 != 0) {
        do throws(Errno) { try target.setMode(mode) } catch { throw .failed("chmod", path.bytes, error) }
      }
    }
    try setTimes(of: target, header, path, current)
    if !header.extendedAttributes.isEmpty { try setAttributes(of: target, header, path) }
    if options.forceMask != nil, header.kind != .hardLink, header.kind != .symbolicLink {
      try setOverride(overrideValue(header, owner), on: target, path)
    }
  }

  /// The host's IDs for an entry.
  func owner(_ header: TarHeader) throws(StorageError) -> ApplyOptions.Owner {
    try owners.map(uid: header.uid, gid: header.gid)
  }

  /// Sets the owner if it differs; true if it did.
  @discardableResult
  func setOwner(
    of target: MetadataTarget, _ owner: ApplyOptions.Owner, _ path: EntryPath, ifDifferentFrom current: ObjectIdentity?
  ) throws(StorageError) -> Bool {
    if let current, current.uid == owner.uid, current.gid == owner.gid { return false }
    do throws(Errno) {
      try target.setOwner(owner)
      return true
    } catch {
      let failure = ownerFailure(owner, path.bytes, error)
      guard options.ignoreChownErrors else { throw failure }
      Log.debug("Chown error detected. Ignoring due to ignoreChownErrors flag: \(failure)")
      return true
    }
  }

  private func setTimes(
    of target: MetadataTarget, _ header: TarHeader, _ path: EntryPath, _ current: FileStatus?
  ) throws(StorageError) {
    var access = FileTime(raw: EntryTimes.access(header))
    var modification = FileTime(raw: header.modified)
    if !target.isLink {
      access = EntryTimes.clamped(access)
      modification = EntryTimes.clamped(modification)
    }
    if let current, current.accessTime == access, current.modificationTime == modification { return }
    do throws(Errno) {
      try target.setTimes(access: access, modification: modification)
    } catch {
      throw .failed("chtimes", path.bytes, error)
    }
  }

  /// Sets the entry's attributes (archive-and-diff 4.6), except those that would steer overlayfs (archive-and-diff 14, W24).
  private func setAttributes(of target: MetadataTarget, _ header: TarHeader, _ path: EntryPath) throws(StorageError) {
    for attribute in header.extendedAttributes where !isRefused(attribute.name) {
      guard let value = storedValue(of: attribute, path) else { continue }
      do throws(Errno) {
        try target.setAttribute(attribute.name, value)
      } catch {
        let ignored =
          error == .notSupported || error == .notSupportedOnSocket
          || (error == .notPermitted && options.inUserNamespace)
        guard ignored else { throw .failed("lsetxattr", path.bytes, error) }
        if !warnedAboutAttributes {
          warnedAboutAttributes = true
          Log.info(
            "ignored xattrs in archive: underlying filesystem doesn't support them: \(goQuoted(bytes: attribute.name))")
        }
      }
    }
  }

  /// The value as it is stored in a layer with these owners on disk; `nil` for a capability that counts for nobody there.
  private func storedValue(of attribute: TarHeader.ExtendedAttribute, _ path: EntryPath) -> [UInt8]? {
    guard attribute.name == FileCapability.name else { return attribute.value }
    let value = FileCapability.stored(attribute.value, options.idMaps)
    if value == nil {
      Log.warning(
        "\(displayPath(path.bytes)): leaving out a capability for a user who has no place in the layer's ID maps")
    }
    return value
  }

  private func isRefused(_ name: [UInt8]) -> Bool {
    name.elementsEqual("security.selinux".utf8) || name.starts(with: "trusted.overlay.".utf8)
      || name.starts(with: "user.overlay.".utf8) || name.contains(0)
  }

  // MARK: Override attribute

  /// `UID:GID:MODE:TYPE` for tools that show a tree with a force mask as it was meant (archive-and-diff 4.7).
  func overrideValue(_ header: TarHeader, _ owner: ApplyOptions.Owner) -> [UInt8] {
    let type: String
    switch header.kind {
    case .directory: type = "dir"
    case .symbolicLink: type = "symlink"
    case .fifo: type = "pipe"
    case .characterDevice: type = "char-\(header.deviceMajor)-\(header.deviceMinor)"
    case .blockDevice: type = "block-\(header.deviceMajor)-\(header.deviceMinor)"
    default: type = "file"
    }
    let mode = String(header.mode & 0o7777, radix: 8)
    let padded = String(repeating: "0", count: max(0, 4 - mode.utf8.count)) + mode
    return Array("\(owner.uid):\(owner.gid):\(padded):\(type)".utf8)
  }

  /// Sets the override attribute.
  func setOverride(_ value: [UInt8], on target: MetadataTarget, _ path: EntryPath) throws(StorageError) {
    do throws(Errno) {
      try target.setAttribute(Array("user.containers.override_stat".utf8), value)
    } catch {
      throw .failed("lsetxattr", path.bytes, error)
    }
  }
}
