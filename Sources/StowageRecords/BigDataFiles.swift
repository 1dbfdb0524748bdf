// SPDX-License-Identifier: Apache-2.0

internal import StowageDigest
internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// The big data items of images and containers: files in the object's own directory (on-disk-format 7).
package enum BigDataFiles {
  /// The directory with files of callers, in an object's own directory.
  package static let callersDirectory = FilePath.Component("userdata")

  /// An object's own directory, in that of its kind.
  package static func directory(of id: String, in directory: FilePath) -> FilePath { directory.appending(id) }

  /// The directory with files of callers about an object.
  package static func callersDirectory(of id: String, in directory: FilePath) -> FilePath {
    self.directory(of: id, in: directory).appending(callersDirectory)
  }

  /// The file of an item.
  ///
  /// - Throws: `invalidBigDataName`, with the reference's words for an empty key.
  package static func path(_ key: String, of id: String, in directory: FilePath, kind: String) throws(StorageError)
    -> FilePath
  {
    do throws(StorageError) {
      return self.directory(of: id, in: directory).appending(FilePath(try bigDataFileName(for: key)).components)
    } catch {
      if key.isEmpty { throw error.wrapped("can't set empty name for \(kind) big data item") }
      throw error
    }
  }

  /// Writes an item durably. Its temporary file is beside the objects' directories, where leavings are looked for.
  package static func write(
    _ bytes: [UInt8], _ key: String, of id: String, in directory: FilePath, kind: String
  ) throws(StorageError) {
    try AtomicFile.replace(
      try path(key, of: id, in: directory, kind: kind), contents: bytes, durability: .full, stagedIn: directory)
  }

  /// Writes items of an object durably; as ``write(_:_:of:in:kind:)``, with one flush for all their names.
  package static func write(
    _ items: [BigDataItem], of id: String, in directory: FilePath, kind: String
  ) throws(StorageError) {
    for item in items {
      try AtomicFile.replace(
        try path(item.key, of: id, in: directory, kind: kind), contents: item.bytes, durability: .content,
        stagedIn: directory)
    }
    if !items.isEmpty { try AtomicFile.syncDirectory(self.directory(of: id, in: directory)) }
  }

  /// Reads an item; `nil` if it cannot be read: callers say themselves which item is missing.
  package static func read(_ key: String, of id: String, in directory: FilePath) -> [UInt8]? {
    guard let path = try? path(key, of: id, in: directory, kind: "") else { return nil }
    return try? StoreFile.read(path)
  }

  /// The digest of an item for which the caller gave none.
  package static func digest(of bytes: [UInt8]) -> Digest { sha256(of: bytes) }
}

/// Records with keys, sizes and digests of big data items.
package protocol BigDataRecord {
  /// Keys in order of first write.
  var bigDataNames: [String] { get set }
  /// Bytes per key.
  var bigDataSizes: KeyedValues<Int64> { get set }
  /// Digest per key.
  var bigDataDigests: KeyedValues<Digest> { get set }
  /// Whether all objects of the kind are recorded in the files of their store, so that data without record are nobody's.
  static var areAllRecordedTogether: Bool { get }
}

extension ImageRecord: BigDataRecord {
  package static var areAllRecordedTogether: Bool { true }
}

extension ContainerRecord: BigDataRecord {
  /// Containers of a transient store are recorded where other openers do not look.
  package static var areAllRecordedTogether: Bool { false }
}

extension BigDataRecord {
  /// Enters an item.
  package mutating func enter(_ key: String, size: Int, digest: Digest) {
    if !bigDataNames.contains(where: { $0.hasSameBytes(as: key) }) { bigDataNames.append(key) }
    bigDataSizes[key] = Int64(size)
    bigDataDigests[key] = digest
  }
}

extension BigDataItem {
  /// The digest to record.
  package var recordedDigest: Digest { digest ?? BigDataFiles.digest(of: bytes) }
}
