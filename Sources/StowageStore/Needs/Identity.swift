// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// Who a graph root is, and on which machine.
enum Identity {
  /// A graph root's identifier; `nil` if it was given none, which only a file that is not there shows.
  ///
  /// - Throws: `corrupt` if the file has something else; `system` if it cannot be read.
  static func read(_ path: FilePath) throws(StorageError) -> String? {
    let bytes: [UInt8]
    do throws(StorageError) { bytes = try StoreFile.read(path, limit: 256) } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
    let text = String(decoding: bytes, as: UTF8.self)
    if isIdentity(text) { return text }
    throw StorageError(
      .corrupt,
      "\(path) is damaged: it tells under which name this graph root is registered in its image store; "
        + "\"stowage relocate-root\" with that image store makes it anew", path: path.string)
  }

  /// Gives a graph root a new identifier. Needs its layer lock exclusively.
  static func make(_ path: FilePath) throws(StorageError) -> String {
    let id = String(LayerID.random().rawValue.prefix(32))
    try write(id, path)
    return id
  }

  /// Gives a graph root an identifier. Needs its layer lock exclusively.
  static func write(_ id: String, _ path: FilePath) throws(StorageError) {
    try AtomicFile.replace(path, contents: Array(id.utf8), mode: 0o644, durability: .full)
  }

  /// 32 lower-case hexadecimal digits: unlike the 64 of layers, no implementation collects what is named so.
  private static func isIdentity(_ text: String) -> Bool {
    text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// This machine's identifier (machine-id(5)); empty if it has none.
  static func machine() -> String {
    // A machine whose file cannot be read is told from no other: others believe what it registers.
    let bytes = (try? Syscall.readFile("/etc/machine-id", limit: 256)) ?? []
    return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
  }

  /// The mount point of the file system with a path, as far as the mount table shows it.
  static func mountPoint(of path: FilePath) -> FilePath {
    var place = path
    while !place.components.isEmpty, !MountTable.isMountPoint(place) { place.removeLastComponent() }
    return place
  }
}
