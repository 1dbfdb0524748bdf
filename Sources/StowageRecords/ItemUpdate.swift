// SPDX-License-Identifier: Apache-2.0

internal import StowageDigest
internal import StowageFiles
package import StowageModel
internal import StowageSystem
internal import SystemPackage

/// New content of big data items that takes effect together with the record that has its digests.
///
/// Several files cannot be replaced at once. The content waits beside the objects' directories, in files whose names tell
/// object, item and digest; when the record with the digests is saved, they are renamed to where they belong. After a crash
/// the next opener goes on: content with the digest that is recorded gets its place, other content is removed.
enum ItemUpdate {
  /// Such files count as temporary ones everywhere.
  private static let prefix = ".tmp-item-"

  /// Writes content to where it waits; the name is made durable by whoever records the digest.
  static func stage(
    _ bytes: [UInt8], for key: String, of id: String, digest: Digest, in directory: FilePath
  ) throws(StorageError) -> FilePath {
    let name = prefix + mark(id, key, digest) + "-\(UInt32.random(in: 0...UInt32.max))"
    let path = directory.appending(name)
    try AtomicFile.replace(path, contents: bytes, durability: .content)
    return path
  }

  /// Moves content to where it belongs.
  static func place(_ staged: FilePath, at path: FilePath) throws(StorageError) {
    try makeDirectories(path.removingLastComponent(), mode: 0o700, isDurable: true)
    try attempt("rename", path) { () throws(Errno) in try Syscall.rename(staged, path) }
    try AtomicFile.syncDirectory(path.removingLastComponent())
  }

  /// Goes on with what a process that died has begun. Needs the exclusive lock of the records.
  static func settle<Record: NamedRecord & BigDataRecord>(in directory: FilePath, _ records: [Record]) {
    let waiting = StaleFiles.find(in: [directory]).filter { $0.lastComponent?.string.hasPrefix(prefix) == true }
    if waiting.isEmpty { return }
    var places: [Substring: FilePath] = [:]
    for record in records {
      for entry in record.bigDataDigests.entries {
        let id = record.id.rawValue
        // A key without file name was never staged.
        places[Substring(mark(id, entry.key, entry.value))] = try? BigDataFiles.path(
          entry.key, of: id, in: directory, kind: "")
      }
    }
    for file in waiting {
      let name = file.lastComponent?.string.dropFirst(prefix.count).prefix { $0 != "-" } ?? ""
      guard let path = places[name] else { continue }
      do throws(StorageError) { try place(file, at: path) } catch {
        Log.warning("cannot finish the change of \(path): \(error)")
      }
    }
  }

  private static func mark(_ id: String, _ key: String, _ digest: Digest) -> String {
    String(sha256(of: Array("\(id)\0\(key)\0\(digest)".utf8)).hex.prefix(32))
  }
}

extension RecordsWriting where Record: BigDataRecord {
  /// Changes a record together with items and, if given, names. After a failure or a crash all is as before, or all is
  /// changed.
  ///
  /// - Throws: `invalidBigDataName`, `system`.
  package func update(
    _ id: Record.ID, items: [BigDataItem], kind: String, names: [String]? = nil, _ change: (inout Record) -> Void
  ) throws(StorageError) {
    let directory = store.directory
    var staged: [(file: FilePath, place: FilePath)] = []
    do throws(StorageError) {
      for item in items {
        let place = try BigDataFiles.path(item.key, of: id.rawValue, in: directory, kind: kind)
        try makeDirectories(place.removingLastComponent(), mode: 0o700)
        let file = try ItemUpdate.stage(
          item.bytes, for: item.key, of: id.rawValue, digest: item.recordedDigest, in: directory)
        staged.append((file, place))
      }
      if !items.isEmpty { try AtomicFile.syncDirectory(directory) }
    } catch {
      // What stays is a temporary file, which the next acquisition looks for.
      for item in staged { try? Syscall.unlink(item.file) }
      throw error
    }
    // From here on what is on disk decides; after a failure the next acquisition looks at it.
    try setNames(names ?? reading[id]?.names ?? [], of: id) { record in
      for item in items { record.enter(item.key, size: item.bytes.count, digest: item.recordedDigest) }
      change(&record)
    }
    for item in staged { try ItemUpdate.place(item.file, at: item.place) }
  }
}
