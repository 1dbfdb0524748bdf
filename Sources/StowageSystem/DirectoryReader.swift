// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import SystemPackage

/// Reads a directory in batches of the kernel's records. See `getdents64(2)`.
///
/// The entries `.` and `..` are left out. The order is the file system's.
package struct DirectoryReader: ~Copyable {
  /// One entry; `name` is valid only until the next call of ``DirectoryReader/next()``.
  package struct Entry {
    /// NUL-terminated name of bytes.
    package let name: UnsafePointer<CChar>
    /// Bytes of the name, without the NUL.
    package let nameLength: Int
    /// The entry's type, `.unknown` if the file system does not tell.
    package let kind: FileKind
    /// Inode number (of the file system below a mount point).
    package let inode: UInt64

    /// A copy of the name.
    package var nameBytes: [UInt8] {
      UnsafeRawBufferPointer(start: name, count: nameLength).map { $0 }
    }
    /// The name as text, invalid UTF-8 repaired.
    package var nameText: String { String(decoding: nameBytes, as: UTF8.self) }
  }

  private static let capacity = 65536
  private let descriptor: CInt
  private let buffer: UnsafeMutableRawPointer
  private var position = 0
  private var filled = 0

  /// Reads from an open directory, which the caller keeps open. Its offset is used: one reader at a time.
  package init(borrowing descriptor: CInt) {
    self.descriptor = descriptor
    buffer = .allocate(byteCount: Self.capacity, alignment: 16)
  }

  deinit { buffer.deallocate() }

  /// The next entry, nil at the end.
  package mutating func next() throws(Errno) -> Entry? {
    while true {
      if position >= filled {
        let (descriptor, buffer) = (descriptor, buffer)
        filled = try checked { stowage_getdents64(descriptor, buffer, Self.capacity) }
        position = 0
        if filled == 0 { return nil }
      }
      // struct linux_dirent64: u64 inode, s64 offset, u16 length, u8 type, name
      let record = buffer + position
      position += Int(record.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
      let name = (record + 19).assumingMemoryBound(to: CChar.self)
      if name[0] == 0x2e && (name[1] == 0 || (name[1] == 0x2e && name[2] == 0)) { continue }
      let kind = FileKind(mode: UInt32(record.load(fromByteOffset: 18, as: UInt8.self)) << 12)
      return Entry(
        name: UnsafePointer(name), nameLength: strlen(name), kind: kind,
        inode: record.loadUnaligned(as: UInt64.self))
    }
  }

  /// Goes back to the first entry, as needed after entries were removed.
  package mutating func rewind() throws(Errno) {
    try Syscall.seek(descriptor, to: 0)
    position = 0
    filled = 0
  }
}

extension Syscall {
  /// The names in a host directory, sorted by bytes.
  package static func directoryNames(_ path: FilePath) throws(Errno) -> [[UInt8]] {
    let descriptor = try open(path, [.readOnly, .directory])
    return try directoryNames(descriptor.rawValue)
  }

  /// The names in an open directory, sorted by bytes.
  package static func directoryNames(_ descriptor: CInt) throws(Errno) -> [[UInt8]] {
    var reader = DirectoryReader(borrowing: descriptor)
    var names: [[UInt8]] = []
    while let entry = try reader.next() { names.append(entry.nameBytes) }
    names.sort { $0.lexicographicallyPrecedes($1) }
    return names
  }
}
