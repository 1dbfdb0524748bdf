// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// Describes the objects of one tree, one after the other, as headers of an archive (archive-and-diff 8.4).
final class ObjectHeaders {
  private let maps: IDMaps
  private let refusesForeignOwners: Bool
  /// First name in this archive of each file with several names.
  private var firstNames: [FileIdentity: [UInt8]] = [:]

  /// - Parameters:
  ///   - maps: owners are described as seen inside.
  ///   - refusesForeignOwners: whether an owner without a place in the container is an error, instead of being left out.
  init(maps: IDMaps, refusesForeignOwners: Bool = false) {
    self.maps = maps
    self.refusesForeignOwners = refusesForeignOwners
  }

  /// The header of an object under its path; a further name of a file that was described is a hard link to the first.
  ///
  /// - Returns: nil for sockets, and for owners without a place in the container if these are left out; that is logged.
  /// - Throws: `invalidMappings` for such an owner if they are refused (changes-1.65 1).
  func header(of entry: borrowing FoundObject) throws(StorageError) -> TarHeader? {
    guard var header = try plainHeader(of: entry) else { return nil }
    if !entry.status.isDirectory, entry.status.linkCount > 1,
      let first = firstName(of: entry.status, orElse: header.name)
    {
      header.kind = .hardLink
      header.linkName = first
      header.size = 0
    }
    do throws(IDMapError) {
      (header.uid, header.gid) = try mapped(entry.status, isLiteralWhiteout: isMarkName(header.name))
    } catch {
      if refusesForeignOwners {
        throw StorageError(
          .invalidMappings,
          "cannot describe \(displayPath(entry.path)), which belongs to \(entry.status.uid):\(entry.status.gid), "
            + "as the container sees it: \(error); give it an owner of the container's ID maps", cause: error)
      }
      Log.error("Can't add file \(displayPath(entry.path)) to tar: \(error); skipping")
      return nil
    }
    return header
  }

  /// The name under which a file was met first; nil if that is now, as `name`.
  func firstName(of status: FileStatus, orElse name: [UInt8]) -> [UInt8]? {
    let identity = FileIdentity(status)
    if let first = firstNames[identity] { return first }
    firstNames[identity] = name
    return nil
  }

  private func plainHeader(of entry: borrowing FoundObject) throws(StorageError) -> TarHeader? {
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
      throw .failed("readlink", entry.path, error)
    }
    if kind == .characterDevice || kind == .blockDevice {
      header.deviceMajor = Int64(status.deviceMajor)
      header.deviceMinor = Int64(status.deviceMinor)
    }
    header.extendedAttributes = try attributes(of: entry)
    return header
  }

  /// Capabilities, IMA signatures and what users set; nothing that belongs to the store or the host.
  private func attributes(
    of entry: borrowing FoundObject
  ) throws(StorageError) -> [TarHeader.ExtendedAttribute] {
    let (directory, object) = (entry.directory, entry.name)
    let names: [[UInt8]]
    do throws(Errno) { names = try ExtendedAttributes.names(directory, object) } catch {
      throw .failed("llistxattr", entry.path, error)
    }
    var found: [TarHeader.ExtendedAttribute] = []
    for name in names where isArchived(name) {
      do throws(Errno) {
        let value = try withCString(copying: name) { (attribute) throws(Errno) in
          try ExtendedAttributes.value(directory, object, attribute)
        }
        guard let value else { continue }
        guard name == FileCapability.name else {
          found.append(TarHeader.ExtendedAttribute(name: name, value: value))
          continue
        }
        if let value = FileCapability.inside(value, maps) {
          found.append(TarHeader.ExtendedAttribute(name: name, value: value))
        } else {
          Log.warning(
            "\(displayPath(entry.path)): leaving out a capability for a user who has no place in the layer's ID maps")
        }
      } catch {
        throw .failed("lgetxattr \(goQuoted(bytes: name))", entry.path, error)
      }
    }
    return found
  }

  private func isArchived(_ name: [UInt8]) -> Bool {
    if name.starts(with: "user.".utf8) { return !name.starts(with: "user.overlay.".utf8) }
    return name.elementsEqual("security.capability".utf8) || name.elementsEqual("security.ima".utf8)
  }

  private func mapped(
    _ status: FileStatus, isLiteralWhiteout: Bool
  ) throws(IDMapError) -> (uid: Int64, gid: Int64) {
    if isLiteralWhiteout { return (Int64(status.uid), Int64(status.gid)) }
    let owner = try maps.containerIDs(uid: Int(status.uid), gid: Int(status.gid))
    return (Int64(owner.uid), Int64(owner.gid))
  }
}

/// An object of a tree to be described or written.
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

  /// Opens a regular file for reading.
  func opened() throws(StorageError) -> OwnedDescriptor {
    do throws(Errno) {
      let file = try Syscall.openat(directory, name, [.readOnly, .noFollow, .nonBlocking])
      // Somebody may have put a FIFO or another file there since.
      if try Syscall.fstat(file.rawValue).isSameFile(as: status) { return file }
      throw Errno.staleNFSFileHandle
    } catch {
      throw .failed("open", path, error)
    }
  }
}

extension ArchiveTime {
  /// The same moment.
  init(_ time: FileTime) { self.init(seconds: time.seconds, nanoseconds: time.nanoseconds) }
}
