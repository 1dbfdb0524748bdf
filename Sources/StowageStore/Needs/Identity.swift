// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// Who a graph root is, and on which machine.
enum Identity {
  /// A graph root's identifier, if it was given one.
  static func read(_ path: FilePath) throws(StorageError) -> String? {
    let bytes: [UInt8]
    do throws(Errno) { bytes = try Syscall.readFile(path, limit: 256) } catch .noSuchFileOrDirectory {
      return nil
    } catch {
      throw .failed("read", path, error)
    }
    let text = String(decoding: bytes, as: UTF8.self)
    return isIdentity(text) ? text : nil
  }

  /// A graph root's identifier, made if need be. Needs its layer lock exclusively.
  static func readOrMake(_ path: FilePath) throws(StorageError) -> String {
    if let id = try read(path) { return id }
    let id = String(LayerID.random().rawValue.prefix(32))
    try AtomicFile.replace(path, contents: Array(id.utf8), mode: 0o644, durability: .full)
    return id
  }

  /// 32 lower-case hexadecimal digits: unlike the 64 of layers, no implementation collects what is named so.
  private static func isIdentity(_ text: String) -> Bool {
    text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// This machine's identifier (machine-id(5)); empty if it has none.
  static func machine() -> String {
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
