// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// True for what overlayfs takes for a deleted file: a character device 0:0.
func isWhiteoutDevice(_ status: FileStatus) -> Bool { status.kind == .characterDevice && status.rdev == 0 }

extension LayerExtractor {
  /// Turns a `.wh.` entry into what the driver needs (archive-and-diff 5.1, 5.2).
  ///
  /// Whiteouts speak of lower layers only: wherever they are in the archive, they do not touch what it brings itself.
  func applyWhiteout(_ header: TarHeader, _ path: EntryPath) throws(StorageError) {
    if path.base.elementsEqual(opaqueMarker) { return try applyOpaqueMarker(path) }
    let hidden = path.sibling(path.base.dropFirst(whiteoutPrefix.count))
    let name = hidden.base
    guard !name.isEmpty, !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8) else {
      throw StorageError(.invalidArchive, "invalid whiteout \(goQuoted(bytes: header.name))")
    }
    switch options.whiteouts {
    case .overlay: try makeWhiteoutDevice(hidden, header)
    case .plain: try executeWhiteout(hidden)
    case .literal: break
    }
  }

  private func applyOpaqueMarker(_ path: EntryPath) throws(StorageError) {
    switch options.whiteouts {
    case .overlay:
      // Below a whiteout there is nothing left to hide.
      guard let parent = try directory(of: path, keepingWhiteouts: true) else { return }
      try markOpaque(.descriptor(parent.rawValue), EntryPath(relative: path.parent))
    case .plain:
      let parent = try directory(of: path)
      try removeForeign(in: parent, at: path.parent)
    case .literal: break
    }
  }

  // MARK: Overlay form

  private func makeWhiteoutDevice(_ hidden: EntryPath, _ header: TarHeader) throws(StorageError) {
    let owner = try owner(header)
    guard let parent = try directory(of: hidden, keepingWhiteouts: true) else { return }
    do throws(Errno) {
      try hidden.withBase { (name) throws(Errno) in
        try Syscall.mknodat(parent.rawValue, name, mode: 0o020000, device: 0)
      }
    } catch .fileExists {
      let status = try status(of: hidden, in: parent)
      if !isWhiteoutDevice(status) {
        if made?.contains(hidden.bytes) ?? true {
          guard status.isDirectory else { return }
          return try hidden.withBase { (name) throws(StorageError) in
            try markOpaque(.name(parent.rawValue, name), hidden)
          }
        }
        try remove(hidden, status, in: parent)
        try calling("mknod", hidden) { (name) throws(Errno) in
          try Syscall.mknodat(parent.rawValue, name, mode: 0o020000, device: 0)
        }
      }
    } catch {
      throw .failed("mknod", hidden.bytes, error)
    }
    guard options.forceMask == nil else { return }
    try hidden.withBase { (name) throws(StorageError) in
      _ = try setOwner(
        of: .name(parent.rawValue, name), owner, hidden, ifDifferentFrom: process.creationStatus(in: parent, mode: 0))
    }
  }

  /// Hides everything lower layers have in a directory.
  func markOpaque(_ target: MetadataTarget, _ path: EntryPath) throws(StorageError) {
    guard case .overlay(let attributes) = options.whiteouts else { return }
    do throws(Errno) {
      try target.setAttribute(Array(attributes.opaqueName.utf8), [UInt8(ascii: "y")])
    } catch {
      throw .failed("setxattr", path.bytes, error)
    }
  }

  // MARK: Plain form

  private func executeWhiteout(_ hidden: EntryPath) throws(StorageError) {
    let parent = try directory(of: hidden)
    let found: FileStatus?
    do throws(Errno) {
      found = try hidden.withBase { (name) throws(Errno) in try Syscall.fstatat(parent.rawValue, name) }
    } catch .noSuchFileOrDirectory {
      found = nil
    } catch {
      throw .failed("lstat", hidden.bytes, error)
    }
    guard let found else { return }
    guard made?.contains(hidden.bytes) ?? true else { return try remove(hidden, found, in: parent) }
    guard found.isDirectory else { return }
    let directory: OpenDirectory
    do throws(Errno) { directory = try directories.directory(at: hidden.bytes) } catch {
      throw .failed("open", hidden.bytes, error)
    }
    try removeForeign(in: directory, at: hidden.bytes)
  }

  /// Removes what is not from this archive from a directory and those below that are.
  private func removeForeign(in directory: OpenDirectory, at path: ArraySlice<UInt8>) throws(StorageError) {
    // Nothing but this archive's own: nothing to remove.
    guard made != nil else { return }
    var pending: [[UInt8]] = [Array(path)]
    while let current = pending.popLast() {
      let names: [[UInt8]]
      let opened: OpenDirectory
      do throws(Errno) {
        opened = try directories.directory(at: current[...])
        try Syscall.seek(opened.rawValue, to: 0)
        names = try Syscall.directoryNames(opened.rawValue)
      } catch {
        throw .failed("open", current, error)
      }
      for name in names {
        let child = EntryPath(relative: current.isEmpty ? name : current + [UInt8(ascii: "/")] + name)
        let status = try status(of: child, in: opened)
        if made?.contains(child.bytes) ?? true {
          if status.isDirectory { pending.append(Array(child.bytes)) }
        } else {
          try remove(child, status, in: opened)
        }
      }
    }
  }
}
