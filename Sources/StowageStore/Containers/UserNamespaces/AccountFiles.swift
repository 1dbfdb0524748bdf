// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The IDs in `passwd` and `group` files. They come from images: lines that are none are skipped, and a file that cannot
/// be read, or is none, counts as empty.
enum AccountFiles {
  /// Real files are far smaller; more of one is not read.
  static let limit = 16 << 20

  /// The number of IDs that are needed to have all users and groups of the files: the greatest one plus 1.
  ///
  /// The entries `nobody` and `nogroup` and the ID 65534 do not count (store-semantics 12.4).
  static func size(passwd: [UInt8], group: [UInt8]) -> Int {
    max(size(passwd, columns: 2...3), size(group, columns: 2...2))
  }

  private static func size(_ bytes: [UInt8], columns: ClosedRange<Int>) -> Int {
    var size = 0
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      guard fields.count > columns.upperBound else { continue }
      let name = fields[0]
      if name.isEmpty || name.elementsEqual("nobody".utf8) || name.elementsEqual("nogroup".utf8) { continue }
      for field in fields[columns] {
        guard let id = UInt32(String(decoding: field, as: UTF8.self)), id != 65534, id < IDSet.end else { continue }
        size = max(size, Int(id) + 1)
      }
    }
    return size
  }

  /// Reads a file of a tree, with all its links resolved inside of the tree.
  static func read(_ name: String, in tree: FilePath) -> [UInt8] {
    guard let root = try? LayerRoot(tree) else { return [] }
    return read { (flags) throws(Errno) in try root.open(Array(name.utf8), flags) }
  }

  /// Reads a file of the host.
  static func read(_ path: FilePath) -> [UInt8] {
    read { (flags) throws(Errno) in try Syscall.open(path, flags) }
  }

  private static func read(_ open: (OpenFlags) throws(Errno) -> OwnedDescriptor) -> [UInt8] {
    do throws(Errno) {
      // A device or a pipe must not even be opened.
      let place = try open(.path)
      guard try Syscall.fstat(place.rawValue).kind == .regular else { return [] }
      let file = try open([.readOnly, .nonBlocking])
      return try Syscall.readAll(file.rawValue, limit: limit)
    } catch {
      return []
    }
  }
}
