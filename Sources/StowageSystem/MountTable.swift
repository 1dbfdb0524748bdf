// SPDX-License-Identifier: Apache-2.0
package import SystemPackage

/// The mounts of this process' mount namespace. See `proc_pid_mountinfo(5)`.
package enum MountTable {
  /// One line of `/proc/self/mountinfo`; escapes are undone.
  package struct Entry: Sendable, Hashable {
    /// Identifier of the mount.
    package var id: UInt64
    /// Identifier of the parent mount.
    package var parentID: UInt64
    /// `major:minor` of the file system.
    package var device: String
    /// Directory in the file system that is the root of this mount.
    package var root: FilePath
    /// Where it is mounted.
    package var mountPoint: FilePath
    /// Per-mount options, comma separated.
    package var options: String
    /// Optional fields, for example `shared:1`.
    package var propagation: [String]
    /// File-system type.
    package var type: String
    /// Source as given at mount time.
    package var source: String
    /// Options of the superblock, comma separated.
    package var superOptions: String
  }

  /// All mounts in the kernel's order (later ones cover earlier ones). Unreadable lines are left out.
  package static func entries() throws(Errno) -> [Entry] {
    let bytes = try Syscall.readFile("/proc/self/mountinfo")
    return bytes.split(separator: 0x0a).compactMap { parse($0) }
  }

  /// Whether a mount sits at the path. Symbolic links in the parents are followed, one at the end is not.
  ///
  /// False for a path that cannot be examined.
  package static func isMountPoint(_ path: FilePath) -> Bool {
    if let known = (try? Syscall.statx(path))?.isMountRoot { return known }
    guard let entries = try? entries() else { return false }
    return entries.contains { $0.mountPoint == path.lexicallyNormalized() }
  }

  /// The path of a directory as the mount table names it: without symbolic links; the path itself if it cannot be opened.
  package static func canonical(_ directory: FilePath) -> FilePath {
    guard let handle = try? Syscall.open(directory, [.path, .directory]),
      let target = try? Syscall.readlink(FilePath("/proc/self/fd/\(handle.rawValue)"))
    else { return directory.lexicallyNormalized() }
    return FilePath(target)
  }

  /// The mount that shows a directory on itself: the uppermost one there, if it is a bind of just this directory and not
  /// another file system or another directory. Symbolic links are followed.
  ///
  /// `nil` if there is none, or if the mount below is out of sight, as after `chroot(2)`.
  package static func bindOntoItself(_ directory: FilePath) throws(Errno) -> Entry? {
    let handle = try Syscall.open(directory, [.path, .directory])
    let status = try Syscall.statx(handle.rawValue, "", flags: .emptyPath)
    if status.isMountRoot == false { return nil }
    let place = canonical(directory)
    let entries = try entries()
    let found = status.mountID.map { id in entries.first { $0.id == id } } ?? entries.last { $0.mountPoint == place }
    guard let mount = found, mount.mountPoint == place, let parent = entries.first(where: { $0.id == mount.parentID }),
      mount.device == parent.device
    else { return nil }
    var below = place
    guard below.removePrefix(parent.mountPoint) else { return nil }
    return mount.root == parent.root.appending(below.components) ? mount : nil
  }

  /// Mount points at or below a path, compared component by component, deepest and latest first.
  ///
  /// - Parameter path: absolute, without symbolic links in it.
  package static func mounts(below path: FilePath) -> [FilePath] {
    guard let entries = try? entries() else { return [] }
    let prefix = path.lexicallyNormalized()
    let found = entries.enumerated().filter { $0.element.mountPoint.starts(with: prefix) }
    let sorted = found.sorted { left, right in
      let depths = (left.element.mountPoint.components.count, right.element.mountPoint.components.count)
      return depths.0 == depths.1 ? left.offset > right.offset : depths.0 > depths.1
    }
    return sorted.map { $0.element.mountPoint }
  }

  static func parse(_ line: ArraySlice<UInt8>) -> Entry? {
    // A field may be empty: the source is as it was given to `mount(2)`.
    let fields = line.split(separator: 0x20, omittingEmptySubsequences: false)
    guard let dash = fields.dropFirst(6).firstIndex(of: [0x2d]), fields.count > dash + 2,
      let id = UInt64(text(fields[0])), let parent = UInt64(text(fields[1]))
    else { return nil }
    return Entry(
      id: id, parentID: parent, device: text(fields[2]), root: FilePath(unescapedBytes(fields[3])),
      mountPoint: FilePath(unescapedBytes(fields[4])), options: text(fields[5]),
      propagation: fields[6..<dash].map { text($0) }, type: text(fields[dash + 1]),
      source: String(decoding: unescapedBytes(fields[dash + 2]), as: UTF8.self),
      superOptions: fields.count > dash + 3
        ? String(decoding: unescapedBytes(fields[dash + 3]), as: UTF8.self) : "")
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  /// Undoes `\040`-style octal escapes.
  private static func unescapedBytes(_ field: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    var index = field.startIndex
    while index < field.endIndex {
      let digits = field[(index + 1)...].prefix(3)
      if field[index] == 0x5c, digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }),
        let value = UInt8(text(digits), radix: 8)
      {
        result.append(value)
        index += 4
      } else {
        result.append(field[index])
        index += 1
      }
    }
    return result
  }
}

extension FilePath {
  /// A path of raw bytes; everything after a NUL is cut off.
  package init(_ bytes: some Sequence<UInt8>) {
    var characters = bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) }
    characters.append(0)
    self = characters.withUnsafeBufferPointer { buffer in
      buffer.baseAddress.map { FilePath(platformString: $0) } ?? FilePath()
    }
  }

  /// The bytes of the path, without NUL.
  package var bytes: [UInt8] {
    withPlatformString { pointer in
      var result: [UInt8] = []
      var cursor = pointer
      while cursor.pointee != 0 {
        result.append(UInt8(bitPattern: cursor.pointee))
        cursor += 1
      }
      return result
    }
  }
}
